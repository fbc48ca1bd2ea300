"""The answer to a request for access (art. 15 AVG) as a PDF in plain Dutch."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final

from babel.dates import format_date, format_datetime

from signals.clock import AMSTERDAM
from signals.vocabulary import (
    Action,
    AttemptKind,
    AttemptResult,
    ConcernType,
    Outcome,
    ReferredTo,
    Seen,
    SignalState,
)
from signals.web.desk.labels import label
from signals.web.desk.pdf import Section, make_pdf

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


def rights_pdf(document: Mapping[str, Any]) -> bytes:
    """The document of `signals.residents.export_of` for the resident to read."""
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
        yield Section(title=f"Signaal {signal['reference']}", facts=list(_facts(signal)))
    earlier = [_day(day) for day in document["earlier_signals_received_on"]]
    if earlier:
        yield Section(
            title="Eerdere signalen",
            text=["Van eerdere signalen is de inhoud verwijderd. Alleen de dag van binnenkomst is er nog."],
            facts=[("Binnengekomen", day) for day in earlier],
        )
    for referral in document["referred"]:
        yield Section(
            title=f"Signaal {referral['reference']}",
            text=[
                f"Op {_day(referral['on'])} overgedragen aan {referral['to'] or 'een andere organisatie'}.",
                "Wij hebben de inhoud niet meer.",
            ],
        )


def _facts(signal: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Binnengekomen", _day(signal["received_on"])
    yield "Stand", label(SignalState(signal["state"]), _LANGUAGE)
    yield from _content(signal)
    if signal["notified_on"]:
        yield "Aan u verteld op", _day(signal["notified_on"])
    for attempt in signal["contact_attempts"]:
        words = (AttemptKind(attempt["kind"]), AttemptResult(attempt["result"]))
        agreed = f", afgesproken voor {_day(attempt['agreed_for'])}" if attempt["agreed_for"] else ""
        tried = ", ".join(label(word, _LANGUAGE) for word in words)
        yield "Contactpoging", f"{_moment(attempt['at'])}: {tried}{agreed}"
    for change in signal["history"]:
        yield "Gebeurtenis", f"{_day(change['on'])}: {label(Action(change['action']), _LANGUAGE)}"
    if signal["wmo_notified_on"]:
        yield "Wmo-melding gedaan op", _day(signal["wmo_notified_on"])
    if signal["outcome"]:
        yield "Uitkomst", label(Outcome(signal["outcome"]), _LANGUAGE)
    if signal["referred_to"]:
        yield "Verwezen naar", label(ReferredTo(signal["referred_to"]), _LANGUAGE)


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


def _day(text: str) -> str:
    return format_date(date.fromisoformat(text), "d MMMM y", locale=_LANGUAGE)


def _moment(text: str) -> str:
    at = datetime.fromisoformat(text).astimezone(AMSTERDAM)
    return format_datetime(at, "d MMMM y, HH:mm", locale=_LANGUAGE)
