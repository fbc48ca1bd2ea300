"""Bring stored reports to the desk side: open each once, link repeats, and set deadlines.

Start at `batches.ArrivalDesk`.
"""
