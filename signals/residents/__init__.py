"""Carry out residents' rights (art. 15-18 and 21 AVG) in one organisation: find, export, correct, erase.

Start at `finding.find_by_address`. An address alone proves nothing about the person who asks, so every right
needs a `Proof` in the register.
"""
