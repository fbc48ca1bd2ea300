"""Refusals of the domain; the docstring of each class is its default message (English, for developers).

People read translations: `signals.web.http.problems` chooses them by `code` from `signals.web.http.messages`.
No message ever carries an address, a note or typed text.
"""

from dataclasses import dataclass
from datetime import datetime


class SignalsError(Exception):
    """Something in the domain was refused."""

    code = "refused"
    status = 400

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip().splitlines()[0])


class NotFound(SignalsError):
    """There is no such thing here, or it belongs to another organisation."""

    code = "not_found"
    status = 404


class Forbidden(SignalsError):
    """This role may not do this."""

    code = "forbidden"
    status = 403


class NotSignedIn(SignalsError):
    """Sign in first."""

    code = "not_signed_in"
    status = 401


class SignInFailed(SignalsError):
    """E-mail, password or code is not right."""

    code = "sign_in_failed"
    status = 401


class AskAgainLater(SignalsError):
    """Too much at once; ask again after so many seconds."""

    code = "unavailable"
    status = 429

    def __init__(self, retry_after: int = 60) -> None:
        super().__init__()
        self.retry_after = retry_after


class TooManyGuesses(AskAgainLater):
    """Too many sign-in attempts; wait before the next one."""

    code = "too_many_guesses"


class OpeningsStopped(SignalsError):
    """This account opened very many signals in an hour; a lead or privacy officer lets it go on."""

    code = "openings_stopped"
    status = 403


class StaleVersion(SignalsError):
    """The signal has changed since it was read."""

    code = "stale_version"
    status = 412


class Conflict(SignalsError):
    """The state of the signal does not allow this."""

    code = "state_forbids"
    status = 409


class Restricted(Conflict):
    """The resident asked for a restriction (art. 18 AVG): nobody works on it until that is lifted."""

    code = "restricted"


class OtherRestricted(Restricted):
    """The same of the signal that was to go on: one that is joined into it would wait with it."""

    code = "other_restricted"


class ClaimedByOther(Conflict):
    """Somebody else has claimed this signal."""

    code = "claimed_by_other"

    def __init__(self, claimed_by: str = "", claimed_at: datetime | None = None) -> None:
        super().__init__()
        self.claimed_by = claimed_by
        self.claimed_at = claimed_at


class KeyReused(Conflict):
    """This Idempotency-Key was used for another report."""

    code = "idempotency_key_reused"


class MailboxKeyExpired(Conflict):
    """The key that sealed this report is over; look up the keys and seal it anew."""

    code = "mailbox_key_expired"


class AreaFull(AskAgainLater):
    """More reports for this area today than is plausible."""

    code = "area_full"


class AreaBusy(AreaFull):
    """More reports for this area within ten minutes than is plausible."""


class UnprovenFull(AreaFull):
    """More reports without a token for this area than the small lane takes."""

    code = "unproven_full"


class TokenNotAccepted(SignalsError):
    """This token proves nothing here, or it was spent."""

    code = "token_refused"
    status = 401


class NotesDisabled(SignalsError):
    """Notes are switched off."""

    code = "notes_disabled"
    field = "note"


class ClearReportRefused(SignalsError):
    """Only sealed reports are accepted here."""

    code = "clear_report_refused"
    field = "envelope"


class NoMailboxKey(SignalsError):
    """No valid public key can be had, so nothing may be stored; try again later."""

    code = "no_mailbox_key"
    status = 503


class ClockApart(SignalsError):
    """The clocks of this machine and of the database are over a minute apart (runbook: 'The clock')."""

    code = "clock_apart"
    status = 503


class ContentGone(SignalsError):
    """The content of this signal cannot be read: it is damaged, or its key is damaged or destroyed."""

    code = "content_gone"
    status = 410


@dataclass(frozen=True, kw_only=True)
class FieldProblem:
    """One thing wrong with one field: `field` is a dotted path, `code` a stable word."""

    field: str
    code: str


class Invalid(SignalsError):
    """Some fields are not right."""

    code = "invalid"

    def __init__(self, *problems: FieldProblem) -> None:
        super().__init__()
        self.problems = problems


class SettingsProblem(SignalsError):
    """The settings cannot be used; every problem is listed."""

    code = "settings"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("Settings refused:\n" + "\n".join(f"  - {problem}" for problem in problems))
        self.problems = problems
