"""What people read for the codes of released tables, and how numbers are written, in Dutch and English."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from babel.dates import format_date
from babel.numbers import format_decimal, format_percent
from flask_babel import get_locale, gettext

from privacy.disclosure.tables import QUARTER, TOTAL, WINDOW, read_period
from signals import reference
from signals.statistics.menu import UNKNOWN, stem
from signals.vocabulary import AttemptKind, Outcome
from signals.web.figures.shares import Share
from signals.web.http.i18n import DEFAULT
from signals.web.labels import CONCERN_TYPES

_Pair = tuple[str, str]

MEMBERS: Final[Mapping[str, Mapping[str, _Pair]]] = {
    "kinds": {
        "none": ("Geen poging", "No attempt"),
        AttemptKind.VISIT: ("Alleen huisbezoek", "Visits only"),
        AttemptKind.PHONE: ("Alleen telefoon", "Phone calls only"),
        AttemptKind.LETTER: ("Alleen brieven", "Letters only"),
        AttemptKind.CARD: ("Alleen kaartjes", "Cards only"),
        AttemptKind.THROUGH_OTHER: ("Alleen via iemand anders", "Through others only"),
        "mixed": ("Meer soorten", "Several kinds"),
    },
    "number": {
        "0": ("Geen poging", "No attempt"),
        "1-2": ("1 of 2", "1 or 2"),
        "3": ("3", "3"),
        "4+": ("4 of meer", "4 or more"),
    },
    "reached": {"yes": ("Bereikt", "Reached"), "no": ("Niet bereikt", "Not reached")},
    "outcome_group": {
        "no_concern": ("Er was niets aan de hand", "No concern"),
        "helped": ("Geholpen", "Helped"),
        "known": ("Al in beeld bij hulp", "Already known to help"),
        "declined": ("Wil geen hulp", "Help declined"),
        "not_reached": ("Niet bereikt", "Not reached"),
        "void": ("Dubbel, adres klopt niet of misbruik", "Duplicate, wrong address or misuse"),
    },
    "outcome": {
        Outcome.NO_CONCERN: ("Er was niets aan de hand", "No concern"),
        Outcome.TALK_SUFFICED: ("Een gesprek was genoeg", "A talk sufficed"),
        Outcome.HELP_ACCEPTED: ("Hulp aanvaard", "Help accepted"),
        Outcome.REFERRED: ("Doorverwezen", "Referred"),
        Outcome.ALREADY_KNOWN: ("Al in beeld bij hulp", "Already known to help"),
        Outcome.HELP_DECLINED: ("Wil geen hulp", "Help declined"),
        Outcome.NOT_REACHED: ("Niet bereikt", "Not reached"),
        Outcome.ESCALATED: ("Opgeschaald naar crisis", "Escalated to crisis care"),
        Outcome.DUPLICATE: ("Dubbel gemeld", "Duplicate"),
        Outcome.WRONG_ADDRESS: ("Adres klopt niet", "Wrong address"),
        Outcome.MISUSE: ("Misbruik van het meldpunt", "Misuse"),
    },
    "concern_type": {code: (words["nl"], words["en"]) for code, words in CONCERN_TYPES.items()},
}
"""By dimension and member; areas have the names of the reference files."""

DIMENSIONS: Final[Mapping[str, _Pair]] = {
    "kinds": ("Soort pogingen", "Kind of attempts"),
    "number": ("Aantal pogingen", "Number of attempts"),
    "reached": ("Bereikt", "Reached"),
    "outcome_group": ("Uitkomst", "Outcome"),
    "outcome": ("Uitkomst", "Outcome"),
    "concern_type": ("Wat opviel", "What was noticed"),
    "region": ("GGD-regio", "GGD region"),
    "municipality": ("Gemeente", "Municipality"),
    "period": ("Periode", "Period"),
}

MEASURES: Final[Mapping[str, _Pair]] = {
    "signals": ("Signalen", "Signals"),
    "claimed_in_time": ("Op tijd opgepakt", "Claimed in time"),
    "contacted": ("Contact gezocht", "Contact sought"),
    "contacted_in_time": ("Op tijd contact gezocht", "Contact sought in time"),
    "reached": ("Bereikt", "Reached"),
    "helped": ("Geholpen", "Helped"),
    "known_asked": ("Gevraagd of hulp iemand al kende", "Asked whether help knew them"),
    "newly_known": ("Nieuw in beeld bij hulp", "Newly known to help"),
    "repeats": ("Eerder gemeld adres", "Address reported before"),
    "median_hours_to_claim": ("Werkuren tot oppakken (mediaan)", "Working hours to claiming (median)"),
    "median_hours_to_contact": (
        "Werkuren tot eerste poging (mediaan)",
        "Working hours to first attempt (median)",
    ),
}


def language() -> str:
    """The language of this page: "nl" or "en"."""
    locale = get_locale()
    return "en" if locale is not None and locale.language == "en" else DEFAULT


def member(dimension: str, code: str) -> str:
    """The words for a member of a dimension; `total` is the margin."""
    areas = _AREAS.get(stem(dimension))
    if code == TOTAL:
        return str(gettext("The whole country") if areas else gettext("Total"))
    if areas:
        return str(gettext("Address unknown")) if code == UNKNOWN else areas(code)
    return _of(MEMBERS[dimension][code])


def breakable(name: str) -> str:
    """A name with the places where it may be broken on a narrow screen; the longest ones have no other."""
    return name.replace("/", "/\u200b").replace("heidsregio", "heids\u00adregio")


def dimension(name: str) -> str:
    """The words for a dimension."""
    return _of(DIMENSIONS[stem(name)])


def measure(name: str) -> str:
    """The words for a measure."""
    return _of(MEASURES[name])


def number(value: float) -> str:
    """A number as it is written."""
    return str(format_decimal(value, locale=language()))


def percent(value: float) -> str:
    """A share of 1, in whole percents."""
    return str(format_percent(round(value, 2), format="#,##0%", locale=language()))


def with_range(found: Share | None) -> str | None:
    """A share and, on a line of its own, the range that rounding leaves: `22%`, `(18-26%)`; None: hidden."""
    if found is None:
        return None
    low, high = percent(found.low), percent(found.high)
    return (
        percent(found.value) if low == high else f"{percent(found.value)}\n({low.removesuffix('%')}–{high})"
    )


def period(text: str) -> str:
    """A period as it is said: the third quarter of 2026, 2026, 2023 up to and including 2026."""
    found = read_period(text)
    if found.kind == QUARTER:
        return str(gettext("quarter %(quarter)d of %(year)d", quarter=found.quarter, year=found.first))
    if found.kind == WINDOW:
        return str(gettext("%(first)d up to and including %(last)d", first=found.first, last=found.last))
    return str(found.first)


def short_quarter(text: str) -> str:
    """A quarter below a column, on two lines."""
    found = read_period(text)
    quarter = gettext("Q%(quarter)d", quarter=found.quarter)
    return f"{quarter}\n{found.first}"


def day(value: date) -> str:
    """`24 november 2026`."""
    return str(format_date(value, "d MMMM y", locale=language()))


def _of(pair: _Pair) -> str:
    return pair[0] if language() == "nl" else pair[1]


def _region(code: str) -> str:
    found = reference.ggd_regions().get(code)
    return found.name if found else code


def _municipality(member: str) -> str:
    """By name, also one that is no more or that was part of another region: releases keep them."""
    code, _, region = member.partition("-")
    found = reference.municipalities().get(code)
    name = found.name if found else _names_of_others().get(code, code)
    return f"{name} ({_region(region)})" if region else name


def _names_of_others() -> Mapping[str, str]:
    changes = reference.boundary_changes()
    return {each.new_code: each.new_name for each in changes} | {
        each.old_code: each.old_name for each in changes
    }


_AREAS: Final[Mapping[str, Callable[[str], str]]] = {"region": _region, "municipality": _municipality}
