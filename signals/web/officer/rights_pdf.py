"""The answer to a request for access (art. 15 AVG) as a PDF in plain Dutch."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from babel.dates import format_date, format_datetime

from signals.clock import AMSTERDAM
from signals.vocabulary import (
    Action,
    AttemptKind,
    AttemptResult,
    AuditAction,
    ConcernType,
    DeferralReason,
    Outcome,
    ReferralReason,
    ReferredTo,
    Seen,
    SignalState,
)
from signals.web.labels import label
from signals.web.staff_kit.labels import reason_label, result_label
from signals.web.staff_kit.pdf import Section, make_pdf

_LANGUAGE: Final = "nl"
_RIGHTS: Final = (
    "U kunt ons vragen om gegevens te verbeteren, te verwijderen of tijdelijk niet te gebruiken, en u kunt"
    " bezwaar maken.",
    "Bent u het niet eens met hoe wij met uw gegevens omgaan? Dan kunt u een klacht indienen bij de"
    " Autoriteit Persoonsgegevens.",
)

_RULES: Final = {
    "concluded": "Na afronding bewaard",
    "unattended": "Zonder opvolging bewaard",
    "hard_limit": "Hoe dan ook niet langer dan",
}
_RECIPIENTS: Final = {
    "own_team": "medewerkers van deze organisatie die signalen opvolgen",
    "referred_to": "een organisatie waaraan het signaal is overgedragen",
    "processor": "de beheerder van het platform, in opdracht van deze organisatie",
}
_OUTCOME_GROUPS: Final = {
    "no_concern": "er was niets aan de hand",
    "helped": "geholpen",
    "known": "al in beeld bij hulp",
    "declined": "wilde geen hulp",
    "not_reached": "niet bereikt",
    "void": "dubbel, adres klopte niet of misbruik",
    "referred": "overgedragen aan een andere organisatie",
}
_DEADLINES: Final = {
    "claim_by": "Op te pakken voor of op",
    "contact_by": "Eerste contactpoging voor of op",
    "conclude_by": "Af te ronden voor of op",
    "due_on": "Eerstvolgende termijn",
}


def rights_pdf(document: Mapping[str, Any]) -> bytes:
    """Return the document of `signals.residents.export_of` as a PDF for the resident."""
    return make_pdf(
        title="Antwoord op uw verzoek om inzage",
        lead=[
            f"Dit is alles wat {document['organisation']} over dit adres bewaart.",
            "Een bezorger maakte zich zorgen en gaf dat door. Wie dat was, is niet bekend.",
        ],
        sections=[*_sections(document), Section(title="Uw rechten", text=_RIGHTS)],
        language=_LANGUAGE,
    )


def _sections(document: Mapping[str, Any]) -> Iterator[Section]:
    yield Section(
        title="Waarom en hoe lang",
        facts=[
            ("Grondslag", document["legal_basis"] or "niet vastgelegd"),
            ("Bewaartermijn", document["retention_basis"] or "niet vastgelegd"),
            *(
                (_RULES[kept["rule"]], f"{kept['days']} dagen. {kept['legal_basis']}")
                for kept in document["retention"]
            ),
            ("Dat er een signaal was", f"{document['earlier_kept_days']} dagen, zonder inhoud"),
            *(("Wie het kan ontvangen", _RECIPIENTS[code]) for code in document["recipients"]),
            ("Bron", "een bezorger"),
        ],
    )
    for signal in document["signals"]:
        yield Section(title=f"Signaal {signal['reference']}", facts=list(facts_of(signal)))
    if document["earlier_signals"]:
        yield Section(
            title="Eerdere signalen",
            text=[
                "Van eerdere signalen is de inhoud verwijderd. Alleen de dag van binnenkomst en in het kort"
                " hoe het afliep zijn er nog."
            ],
            facts=[("Binnengekomen", _earlier(link)) for link in document["earlier_signals"]],
        )
    for referral in document["referred"]:
        yield Section(
            title=f"Signaal {referral['reference']}",
            text=[
                f"Op {_day(referral['on'])} overgedragen aan {referral['to'] or 'een andere organisatie'}."
                f" Reden: {_words(ReferralReason, referral['reason'])}.",
                "Wij hebben de inhoud niet meer.",
            ],
            facts=list(_uses(referral)),
        )


def facts_of(signal: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is kept of one signal, as (what, value)."""
    yield from _reception(signal)
    yield from _content(signal)
    yield from _notified(signal)
    yield from _attempts(signal)
    for change in signal["history"]:
        yield "Gebeurtenis", _change(change)
    yield from _conclusion(signal)
    if signal["restricted_on"]:
        yield "Gebruik beperkt sinds", _day(signal["restricted_on"])
    yield from _uses(signal)


def _uses(signal: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for access in signal["accesses"]:
        yield "Ingezien of gebruikt", f"{_day(access['on'])}: {_words(AuditAction, access['action'])}"


def _reception(signal: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Binnengekomen", _day(signal["received_on"])
    if signal["unrouted"]:
        yield "Waar", "bij het landelijk meldpunt, want geen organisatie kon het ontvangen"
    if signal["repeat"]:
        yield "Eerder", "er was al een signaal over dit adres"
    if signal["team_told"]:
        yield "Team", "kreeg bericht dat er een signaal was, zonder inhoud"
    yield "Stand", label(SignalState(signal["state"]), _LANGUAGE)
    for name, words in _DEADLINES.items():
        yield words, _day(signal[name])


def _notified(signal: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield how the resident was notified (art. 14 AVG)."""
    if signal["letter_printed_on"]:
        yield "Brief aan u afgedrukt op", _day(signal["letter_printed_on"])
    if signal["notified_on"]:
        yield "Aan u verteld op", _day(signal["notified_on"])
    if signal["deferred_because"]:
        yield "Niet eerder verteld, omdat", _words(DeferralReason, signal["deferred_because"])


def _attempts(signal: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for attempt in signal["contact_attempts"]:
        kind, result = AttemptKind(attempt["kind"]), AttemptResult(attempt["result"])
        agreed = f", afgesproken dag: {_day(attempt['agreed_for'])}" if attempt["agreed_for"] else ""
        together = f", met {attempt['workers']} medewerkers" if attempt["workers"] > 1 else ""
        tried = f"{label(kind, _LANGUAGE)}, {result_label(kind, result, _LANGUAGE)}"
        yield "Contactpoging", f"{_moment(attempt['at'])}: {tried}{together}{agreed}"
    if signal["first_contact_at"]:
        yield "Eerste gesprek", _moment(signal["first_contact_at"])
    if signal["postponed_until"]:
        yield "Afgesproken voor", _day(signal["postponed_until"])


def _conclusion(signal: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if signal["wmo_notified_on"]:
        yield "Wmo-melding gedaan op", _day(signal["wmo_notified_on"])
    if signal["concluded_at"]:
        yield "Afgerond", _moment(signal["concluded_at"])
    if signal["outcome"]:
        yield "Uitkomst", _words(Outcome, signal["outcome"])
    if signal["referred_to"]:
        yield "Verwezen naar", _words(ReferredTo, signal["referred_to"])
    if signal["newly_known"] is not None:
        yield "Al bekend bij hulp", "nee" if signal["newly_known"] else "ja"


def _change(change: Mapping[str, Any]) -> str:
    """Return a status change with its day, its states, and its reason if that has words."""
    states = [label(SignalState(change[name]), _LANGUAGE) for name in ("before", "after") if change[name]]
    reason = _reason(change)
    words = f"{_day(change['on'])}: {_words(Action, change['action'])} ({' → '.join(states)})"
    return f"{words}. Reden: {reason}" if reason else words


def _reason(change: Mapping[str, Any]) -> str:
    if change["reason"] is None:
        return ""
    if change["action"] == Action.REFER:
        return _words(ReferralReason, change["reason"])
    return reason_label(change["reason"], _LANGUAGE)


def _earlier(link: Mapping[str, Any]) -> str:
    return f"{_day(link['received_on'])}, afloop: {_OUTCOME_GROUPS.get(link['outcome_group'], 'niet bekend')}"


def _content(signal: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "address" not in signal:
        yield "Inhoud", "verwijderd"
        return
    place = signal["address"]
    yield "Adres", f"{place['postcode']} {place['house_number']} {place['addition']}".strip()
    for code in signal["concern_types"]:
        yield "Wat opviel", label(ConcernType(code), _LANGUAGE)
    if signal["seen"]:
        yield "Hoe vaak gezien", label(Seen(signal["seen"]), _LANGUAGE)
    if signal["noticed_on"]:
        yield "Opgevallen op", _day(signal["noticed_on"])
    if signal["note"]:
        yield "Opmerking van de bezorger", signal["note"]
    for note in signal["follow_up_notes"]:
        yield "Notitie van een medewerker", f"{_moment(note['at'])}: {note['text']}"


def _words(codes: type[StrEnum], code: str) -> str:
    return label(codes(code), _LANGUAGE)


def _day(text: str) -> str:
    return format_date(date.fromisoformat(text), "d MMMM y", locale=_LANGUAGE)


def _moment(text: str) -> str:
    at = datetime.fromisoformat(text).astimezone(AMSTERDAM)
    return format_datetime(at, "d MMMM y, HH:mm", locale=_LANGUAGE)
