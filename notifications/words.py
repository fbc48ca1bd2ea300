"""Failures and events in plain words, Dutch and English, for the people who keep messages arriving.

Logs, figures and programs know a failure by a short code; nobody should have to look it up.
The Dutch words are in `translations`.
"""

import gettext
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from notifications.dead_letters import GONE
from notifications.events import Event
from notifications.retry import INTERRUPTED, OUTCOME_UNKNOWN

_TRANSLATIONS: Final = Path(__file__).parent / "translations"
_Words = tuple[str, str]
"""The cause, and the remedy."""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The cause of a failure, and its remedy."""

    says: str
    fix: str


def mark(message: str) -> str:
    """Return a text as it is, so that the catalogues have it; it is translated later."""
    return message


_CHECK_ADDRESS: Final = mark(
    "once the mailbox works again, let it be sent again; where the address has changed, put the new one in"
    " its place at the organisation and give this message up"
)
_CHECK_NUMBER: Final = mark("see whether this recipient's mobile number is still right, or choose e-mail")
_WAIT: Final = mark("it mostly passes by itself: it is tried again")
_SIGN_IN: Final = mark(
    "look at notifications.smtp_user and at the password in notifications.smtp_password_file"
)
_REACH_SMTP: Final = mark(
    "see whether the mail server is up; look at notifications.smtp_host and smtp_port, and at the firewall"
)
_SECURITY: Final = mark(
    "look at notifications.smtp_security and smtp_port: starttls goes with 587, tls with 465"
)
_SENDER: Final = mark("look at notifications.sender, and whether notifications.smtp_user may send from it")
_TWILIO_SIGN_IN: Final = mark("look at twilio.account_sid and at the token in twilio.auth_token_file")
_REACH_TWILIO: Final = mark("look at the firewall, at twilio.api_url, and at status.twilio.com")
_STOPPED: Final = mark("let the recipient send START to that number, or choose e-mail")
_FILTERED: Final = mark("choose e-mail for this recipient, and ask Twilio why")
_DOUBT: Final = mark("ask the recipient whether it arrived before you let it be sent again")

_SYSTEM_ADDRESS: Final = mark("look at the address under Connected systems, and at systems.private_hosts")
_SYSTEM_DOWN: Final = mark("see whether that system is up; look at the firewall")

_PROBLEMS: Final[Mapping[str, _Words]] = {
    "smtp_connection": (mark("the mail server cannot be reached"), _REACH_SMTP),
    "smtp_disconnected": (mark("the mail server broke the connection off"), _WAIT),
    "smtp_sign_in": (mark("the mail server refuses the name or the password"), _SIGN_IN),
    "smtp_tls": (mark("no secure connection to the mail server, or its certificate is not valid"), _SECURITY),
    "smtp_not_supported": (mark("the mail server cannot do what is set: security or signing in"), _SECURITY),
    "smtp_sender": (mark("the mail server refuses our address as the sender"), _SENDER),
    "smtp_421": (mark("the mail server has no time now"), _WAIT),
    "smtp_450": (mark("the mailbox takes nothing now"), _WAIT),
    "smtp_452": (mark("the mailbox or the mail server is full"), _CHECK_ADDRESS),
    "smtp_550": (mark("the mailbox is not there, or refuses this mail"), _CHECK_ADDRESS),
    "smtp_552": (mark("the mailbox is full"), _CHECK_ADDRESS),
    "bad_address": (mark("the address is no e-mail address"), _CHECK_ADDRESS),
    "folder_not_writable": (
        mark("the folder for mail cannot be written to"),
        mark("look at notifications.mail_folder"),
    ),
    "twilio_connection": (mark("Twilio cannot be reached"), _REACH_TWILIO),
    "twilio_20003": (mark("Twilio refuses the account or the token"), _TWILIO_SIGN_IN),
    "twilio_21211": (mark("the phone number is invalid"), _CHECK_NUMBER),
    "twilio_21610": (mark("the recipient replied STOP"), _STOPPED),
    "twilio_21614": (mark("the number is not a mobile one"), _CHECK_NUMBER),
    "twilio_30003": (mark("the phone could not be reached"), _WAIT),
    "twilio_30005": (mark("the number is not in use"), _CHECK_NUMBER),
    "twilio_30007": (mark("the carrier held the text message back"), _FILTERED),
    "twilio_429": (mark("Twilio asks for a pause"), _WAIT),
    "https_address": (mark("the address does not begin with https"), _SYSTEM_ADDRESS),
    "https_private": (mark("the address leads into a private network"), _SYSTEM_ADDRESS),
    "https_tls": (
        mark("no secure connection to the system, or its certificate is not valid"),
        mark("look at the certificate of that system, and at ca_file"),
    ),
    "https_connection": (mark("the system cannot be reached"), _SYSTEM_DOWN),
    "https_no_answer": (mark("the system gave no answer in time"), _SYSTEM_DOWN),
    "zgw_secret": (
        mark("the secret of this case system is not on the server"),
        mark("put it into systems.secrets_folder, as the id of the organisation with .secret"),
    ),
    "zgw_401": (
        mark("the case system refuses our client id or secret"),
        mark("compare the client id under Connected systems, and the secret in systems.secrets_folder"),
    ),
    "webhook_410": (mark("the receiver wants no more events"), mark("disconnect it, or correct its address")),
    OUTCOME_UNKNOWN: (mark("the connection broke; it may have arrived"), _DOUBT),
    INTERRUPTED: (mark("sending broke off; it may have arrived"), _DOUBT),
}
_LIKE: Final[Mapping[str, str]] = {
    "zgw_403": "zgw_401",
    "smtp_530": "smtp_sign_in",
    "smtp_534": "smtp_sign_in",
    "smtp_535": "smtp_sign_in",
    "smtp_538": "smtp_sign_in",
    "smtp_451": "smtp_450",
    "smtp_551": "smtp_550",
    "smtp_553": "smtp_550",
    "twilio_401": "twilio_20003",
    "twilio_403": "twilio_20003",
    "twilio_20429": "twilio_429",
}
_FAMILIES: Final[Mapping[str, _Words]] = {
    "smtp_4": (mark("the mail server does not take it now"), _WAIT),
    "smtp_": (mark("the mail server refuses this message"), _CHECK_ADDRESS),
    "zgw_4": (
        mark("the case system refuses this hand-over"),
        mark("check the addresses of the types under Connected systems; the log of that system says more"),
    ),
    "zgw_": (mark("the case system has a failure"), _WAIT),
    "webhook_": (
        mark("the receiver refuses this event"),
        mark("look into the log of that system: it may not accept the signature"),
    ),
    "handover_": (
        mark("the signal may not be handed over any more"),
        mark("look at the signal, and give this message up"),
    ),
    "twilio_5": (mark("Twilio has a failure"), _WAIT),
    "twilio_": (mark("Twilio refuses this message"), mark("look the code up at twilio.com/docs/api/errors")),
}
_UNKNOWN: Final = mark("unknown failure"), mark("look into the worker's log")

_ADDRESS_GONE: Final = mark(
    "no recipient of this organisation has confirmed this address: let them confirm it first, or give this"
    " message up"
)


def explain(problem: str | None, language: str) -> Explanation:
    """Return the words for a failure, with its code; in English unless the language is nl."""
    words = _catalogue(language)
    says, fix = (words.gettext(text) for text in _found(problem or ""))
    return Explanation(says=says + (f" ({problem})" if problem else ""), fix=fix)


def event_words(event: str, language: str) -> str:
    """Return the subject of a message, which names nobody."""
    return _catalogue(language).pgettext(Event.__name__, event)


def address_words(address: str, language: str) -> str:
    """Return words for an address that is `gone`; empty while it is the `same`."""
    return _catalogue(language).gettext(_ADDRESS_GONE) if address == GONE else ""


def _found(problem: str) -> _Words:
    known = _PROBLEMS.get(_LIKE.get(problem, problem))
    families = (words for start, words in _FAMILIES.items() if problem.startswith(start))
    return known or next(families, _UNKNOWN)


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation("messages", _TRANSLATIONS, [language, "en"], fallback=True)
