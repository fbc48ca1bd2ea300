"""Define the states of a signal, the actions that lead from one to another, and the deadlines.

Start at `transitions.TRANSITIONS`; `status_changes.transition` is the only function that changes a state.
"""
