"""Keep the accounts of staff: sign-in, sessions, recovery, approvals and absence.

Start at `signing_in.sign_in`, and at `team` for changes of a team.
"""
