"""Serve the queue, the signal, the letter, the round and the search to the people who follow up.

Start at `pages`; `api` answers programs.
"""
