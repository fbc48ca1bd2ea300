"""Keep the accounts of staff: sign-in, sessions, recovery, approvals and absence.

Start at `sign_in.sign_in_with_password`, and at `team` for changes of a team.
"""
