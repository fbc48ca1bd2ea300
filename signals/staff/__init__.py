"""Keep the accounts of staff: sign-in, sessions, recovery, approvals and absence.

Start at `signing_in.sign_in`, and at `team` for changes of a team.
"""

from signals.staff.accounts import MIN_PASSWORD, NewStaff, add_staff, disable, issue_token
from signals.staff.guesses import GuessThrottle
from signals.staff.identity import Secrets, actor_for, normal_email
from signals.staff.sessions import (
    TOKEN_PREFIX,
    SessionKind,
    actor_of,
    authenticate,
    csrf_matches,
    csrf_token,
    revoke_all,
    sign_out,
)
from signals.staff.signing_in import PasswordCheck, SignedIn, check_password, sign_in

__all__ = [
    "MIN_PASSWORD",
    "TOKEN_PREFIX",
    "GuessThrottle",
    "NewStaff",
    "PasswordCheck",
    "Secrets",
    "SessionKind",
    "SignedIn",
    "actor_for",
    "actor_of",
    "add_staff",
    "authenticate",
    "check_password",
    "csrf_matches",
    "csrf_token",
    "disable",
    "issue_token",
    "normal_email",
    "revoke_all",
    "sign_in",
    "sign_out",
]
