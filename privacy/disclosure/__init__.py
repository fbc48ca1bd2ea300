"""Disclosure control for published counts: what is shown, what is hidden, and the proof of it.

Knows no database and no product: counts in, published values out. HiGHS is imported inside functions.
"""
