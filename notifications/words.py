"""Failures and events in plain words, Dutch and English, for those who see to it that messages arrive.

A failure is known by a code of few letters, for logs, figures and programs; nobody should have to look it up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from notifications.dead_letters import Standing
from notifications.events import Event
from notifications.retry import INTERRUPTED, OUTCOME_UNKNOWN

_Pair = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What happened, and what mends it."""

    says: str
    mend: str


_LOOK_AT_ADDRESS: Final = (
    "werkt het postvak weer, laat het dan opnieuw versturen; is het adres veranderd, zet dan bij de"
    " organisatie het nieuwe in de plaats: is dat bevestigd, dan gaat dit bericht opnieuw daarheen",
    "once the mailbox works again, let it be sent again; where the address has changed, put the new one in"
    " its place at the organisation: once that is confirmed, this message goes there again",
)
_LOOK_AT_NUMBER: Final = (
    "kijk of het mobiele nummer van deze ontvanger nog klopt, of kies e-mail",
    "see whether this recipient's mobile number is still right, or choose e-mail",
)
_WAIT: Final = (
    "meestal gaat het vanzelf over: er wordt opnieuw geprobeerd",
    "it mostly passes by itself: it is tried again",
)
_SIGN_IN: Final = (
    "kijk naar notifications.smtp_user en naar het wachtwoord in notifications.smtp_password_file",
    "look at notifications.smtp_user and at the password in notifications.smtp_password_file",
)
_REACH_SMTP: Final = (
    "kijk of de mailserver aan staat, naar notifications.smtp_host en smtp_port, en naar de firewall",
    "see whether the mail server is up; look at notifications.smtp_host and smtp_port, and at the firewall",
)
_SECURITY: Final = (
    "kijk naar notifications.smtp_security en smtp_port: starttls hoort bij 587, tls bij 465",
    "look at notifications.smtp_security and smtp_port: starttls goes with 587, tls with 465",
)
_TWILIO_SIGN_IN: Final = (
    "kijk naar twilio.account_sid en naar het token in twilio.auth_token_file",
    "look at twilio.account_sid and at the token in twilio.auth_token_file",
)
_DOUBT: Final = (
    "vraag de ontvanger of het is aangekomen voordat u het opnieuw laat versturen",
    "ask the recipient whether it arrived before you let it be sent again",
)

_PROBLEMS: Final[Mapping[str, tuple[_Pair, _Pair]]] = {
    "smtp_connection": (
        ("de mailserver is niet bereikbaar", "the mail server cannot be reached"),
        _REACH_SMTP,
    ),
    "smtp_disconnected": (
        ("de mailserver verbrak de verbinding", "the mail server broke the connection off"),
        _WAIT,
    ),
    "smtp_sign_in": (
        (
            "de mailserver weigert de naam of het wachtwoord",
            "the mail server refuses the name or the password",
        ),
        _SIGN_IN,
    ),
    "smtp_tls": (
        (
            "geen beveiligde verbinding met de mailserver, of zijn certificaat klopt niet",
            "no secure connection to the mail server, or its certificate is not valid",
        ),
        _SECURITY,
    ),
    "smtp_not_supported": (
        (
            "de mailserver kan niet wat is ingesteld: beveiligen of aanmelden",
            "the mail server cannot do what is set: security or signing in",
        ),
        _SECURITY,
    ),
    "smtp_sender": (
        (
            "de mailserver weigert ons adres als afzender",
            "the mail server refuses our address as the sender",
        ),
        (
            "kijk naar notifications.sender, en of notifications.smtp_user daarvandaan mag verzenden",
            "look at notifications.sender, and whether notifications.smtp_user may send from it",
        ),
    ),
    "smtp_421": (("de mailserver heeft nu geen tijd", "the mail server has no time now"), _WAIT),
    "smtp_450": (
        ("het postvak kan nu niets aannemen", "the mailbox takes nothing now"),
        _WAIT,
    ),
    "smtp_452": (
        ("het postvak of de mailserver is vol", "the mailbox or the mail server is full"),
        _LOOK_AT_ADDRESS,
    ),
    "smtp_550": (
        ("het postvak bestaat niet of weigert deze mail", "the mailbox is not there, or refuses this mail"),
        _LOOK_AT_ADDRESS,
    ),
    "smtp_552": (("het postvak is vol", "the mailbox is full"), _LOOK_AT_ADDRESS),
    "bad_address": (("het adres is geen e-mailadres", "the address is no e-mail address"), _LOOK_AT_ADDRESS),
    "folder_not_writable": (
        ("in de map voor mail kan niet worden geschreven", "the folder for mail cannot be written to"),
        ("kijk naar notifications.mail_folder", "look at notifications.mail_folder"),
    ),
    "twilio_connection": (
        ("Twilio is niet bereikbaar", "Twilio cannot be reached"),
        (
            "kijk naar de firewall, naar twilio.api_url, en op status.twilio.com",
            "look at the firewall, at twilio.api_url, and at status.twilio.com",
        ),
    ),
    "twilio_20003": (
        ("Twilio weigert het account of het token", "Twilio refuses the account or the token"),
        _TWILIO_SIGN_IN,
    ),
    "twilio_21211": (("het telefoonnummer is ongeldig", "the phone number is invalid"), _LOOK_AT_NUMBER),
    "twilio_21610": (
        ("de ontvanger heeft STOP teruggestuurd", "the recipient replied STOP"),
        (
            "laat de ontvanger START sturen naar dat nummer, of kies e-mail",
            "let the recipient send START to that number, or choose e-mail",
        ),
    ),
    "twilio_21614": (("het nummer is niet mobiel", "the number is not a mobile one"), _LOOK_AT_NUMBER),
    "twilio_30003": (
        ("de telefoon was niet bereikbaar", "the phone could not be reached"),
        _WAIT,
    ),
    "twilio_30005": (("het nummer is niet in gebruik", "the number is not in use"), _LOOK_AT_NUMBER),
    "twilio_30007": (
        ("de provider hield het sms-bericht tegen", "the carrier held the text message back"),
        (
            "kies e-mail voor deze ontvanger, en vraag Twilio waarom",
            "choose e-mail for this recipient, and ask Twilio why",
        ),
    ),
    "twilio_429": (("Twilio vraagt om het rustiger aan te doen", "Twilio asks for a pause"), _WAIT),
    OUTCOME_UNKNOWN: (
        ("de verbinding viel weg; misschien is het aangekomen", "the connection broke; it may have arrived"),
        _DOUBT,
    ),
    INTERRUPTED: (
        (
            "het verzenden werd onderbroken; misschien is het aangekomen",
            "sending broke off; it may have arrived",
        ),
        _DOUBT,
    ),
}
_LIKE: Final[Mapping[str, str]] = {
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
_FAMILIES: Final[Mapping[str, tuple[_Pair, _Pair]]] = {
    "smtp_4": (("de mailserver neemt het nu niet aan", "the mail server does not take it now"), _WAIT),
    "smtp_": (
        ("de mailserver weigert dit bericht", "the mail server refuses this message"),
        _LOOK_AT_ADDRESS,
    ),
    "twilio_5": (("Twilio heeft een storing", "Twilio has a failure"), _WAIT),
    "twilio_": (
        ("Twilio weigert dit bericht", "Twilio refuses this message"),
        (
            "zoek de code op bij twilio.com/docs/api/errors",
            "look the code up at twilio.com/docs/api/errors",
        ),
    ),
}
_UNKNOWN: Final = (
    ("onbekende fout", "unknown failure"),
    ("zoek in het logboek van de worker", "look into the worker's log"),
)

_EVENTS: Final[Mapping[Event, _Pair]] = {
    Event.NEW_SIGNAL: ("nieuw signaal", "new signal"),
    Event.REMINDER: ("herinnering aan een termijn", "reminder of a deadline"),
    Event.MISSED_DEADLINE: ("termijn voorbij", "missed deadline"),
    Event.ACCOUNT_CHANGED: ("account gewijzigd", "account changed"),
    Event.ACCOUNT_LINK: ("link voor een account", "link for an account"),
    Event.CONTACT_REMINDER: ("herinnering aan contact", "reminder to make contact"),
    Event.CONCLUDE_REMINDER: ("herinnering aan afronden", "reminder to conclude"),
    Event.MISSED_CONTACT: ("contact te laat", "contact too late"),
    Event.MISSED_CONCLUSION: ("afronding te laat", "conclusion too late"),
    Event.AGREED_DAY: ("afgesproken dag", "agreed day"),
    Event.STAND_IN: ("vervanging", "standing in"),
    Event.UNCOVERED: ("niemand vervangt", "nobody stands in"),
    Event.UNATTENDED: ("niet opgepakt", "nobody took it up"),
    Event.NOTICE_REMINDER: ("herinnering aan artikel 14", "reminder of article 14"),
    Event.NOTHING_OPEN: ("niets open", "nothing open"),
    Event.DIGEST: ("dagelijks overzicht", "daily digest"),
    Event.DRILL: ("proefmelding", "drill"),
    Event.DRILL_UNANSWERED: ("proefmelding niet beantwoord", "drill not answered"),
    Event.ROUTING_SUSPENDED: ("routering weggenomen", "routing taken away"),
    Event.ROUTING_RESTORED: ("routering terug", "routing given back"),
    Event.RECIPIENT_CHECK: ("controle van een ontvanger", "check of a recipient"),
    Event.DEPUTY_CHECK: ("controle van een plaatsvervanger", "check of a deputy"),
    Event.AREA_NEARLY_FULL: ("daglimiet dichtbij", "limit of the day near"),
    Event.AREA_FULL: ("daglimiet bereikt", "limit of the day reached"),
    Event.TEST_MESSAGE: ("testbericht", "test message"),
}


_STANDINGS: Final[Mapping[Standing, _Pair]] = {
    Standing.SAME: ("", ""),
    Standing.MOVED: (
        "er kwam een ander adres of nummer voor in de plaats, dat bevestigd is: opnieuw gaat het daarheen",
        "another address or number has taken its place, which was confirmed: again it goes there",
    ),
    Standing.UNPROVED: (
        "het adres van de ontvanger is nog niet bevestigd; daarna kan dit opnieuw verstuurd worden",
        "the recipient's address has not been confirmed yet; after that this can be sent again",
    ),
    Standing.GONE: (
        "dit adres is niet meer van een ontvanger van deze organisatie: geef dit bericht op",
        "this address is no recipient's of this organisation any more: give this message up",
    ),
}


def standing_words(standing: str, language: str) -> str:
    """What has become of the address of a message that was given up; nothing where it is the same."""
    return _STANDINGS[Standing(standing)][0 if language == "nl" else 1]


def explain(problem: str | None, language: str) -> Explanation:
    """A class of failure in the reader's language (English unless it is nl); its code stays in it."""
    says, mend = _found(problem or "")
    which = 0 if language == "nl" else 1
    return Explanation(says=says[which] + (f" ({problem})" if problem else ""), mend=mend[which])


def event_words(event: str, language: str) -> str:
    """What a message was about, without saying about whom."""
    return _EVENTS[Event(event)][0 if language == "nl" else 1]


def _found(problem: str) -> tuple[_Pair, _Pair]:
    known = _PROBLEMS.get(_LIKE.get(problem, problem))
    families = (words for start, words in _FAMILIES.items() if problem.startswith(start))
    return known or next(families, _UNKNOWN)
