"""Define the states of a signal, the actions that lead from one to another, and the deadlines.

Start at `transitions.transition`, the only function that changes a state.
"""
