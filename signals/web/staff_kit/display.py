"""Show dates, deadlines and addresses in Amsterdam time and in the language of the page."""

from datetime import date, datetime
from urllib.parse import quote, urlsplit

from babel.dates import format_date, format_datetime, get_day_names
from flask_babel import get_locale, gettext, ngettext

from signals.clock import AMSTERDAM, today
from signals.intake.content import Summary
from signals.routing.places import Place, municipality_name
from signals.routing.postcodes import Address
from signals.web.http.i18n import DEFAULT
from signals.web.staff_kit.context import desk


def page_language() -> str:
    """Return the language of this page: "nl" or "en"."""
    locale = get_locale()
    return str(locale.language) if locale else DEFAULT


def day(value: date) -> str:
    """Return `di 24 nov 2026`."""
    return format_date(value, "EEE d MMM y", locale=page_language())


def short_day(value: date, on: date) -> str:
    """Return `di 24 nov`, with the year only when it is not today's."""
    if value.year != on.year:
        return day(value)
    return format_date(value, "EEE d MMM", locale=page_language())


def moment(value: datetime) -> str:
    """Return `di 24 nov 2026, 14:05` by the clock in Amsterdam."""
    return format_datetime(value.astimezone(AMSTERDAM), "EEE d MMM y, HH:mm", locale=page_language())


def weekdays() -> dict[str, str]:
    """Return the names of the weekdays by their ISO number, as a team's days are stored."""
    names = get_day_names("wide", "stand-alone", locale=page_language())
    return {str(day + 1): names[day].capitalize() for day in range(7)}


def deadline(due: date, on: date) -> str:
    """Return how far off a deadline is, in words: not everybody sees colours."""
    days = (due - on).days
    if days < 0:
        return str(ngettext("%(num)d day late", "%(num)d days late", -days))
    if days == 0:
        return str(gettext("today"))
    return str(ngettext("in %(num)d day", "in %(num)d days", days))


def address(of: Address) -> str:
    """Return `1012 AB 12-A`, as on a letter: without the hyphen, "12 14" reads as two numbers."""
    return f"{_postcode(of)} {_number(of)}"


def address_lines(of: Address, place: Place) -> tuple[str, ...]:
    """Return `Nieuwe Kade 12-A` and `1012 AB Amsterdam`; one line for an address without a known street."""
    if not place.street:
        return (address(of),)
    return f"{place.street} {_number(of)}", f"{_postcode(of)} {place.town}"


def surroundings(place: Place) -> str:
    """Return neighbourhood, district and municipality, as far as known, each once and without the town."""
    names = [place.neighbourhood, place.district, municipality(place.municipality_code)]
    return ", ".join(dict.fromkeys(name for name in names if name and name != place.town))


def area(summary: Summary, *, several: bool = False) -> str:
    """Return the neighbourhood, or else the municipality; both for a list with `several` municipalities."""
    names = summary.neighbourhood, municipality(summary.municipality)
    known = list(filter(None, names))
    return ", ".join(known if several else known[:1])


def map_link(of: Address) -> tuple[str, str] | None:
    """Return the address of a map, and the host that learns of this address; None without a setting."""
    pattern = desk().settings.desk.map_url
    if not pattern:
        return None
    url = pattern.replace("{address}", quote(f"{of.postcode} {of.number}"))
    return url, (urlsplit(url).hostname or "").removeprefix("www.")


def municipality(code: str) -> str:
    """Return the name that a municipality has today, by its code; empty for an unknown code."""
    return municipality_name(code, today(desk().clock))


def _postcode(of: Address) -> str:
    return f"{of.postcode[:4]} {of.postcode[4:]}"


def _number(of: Address) -> str:
    return "-".join(part for part in (str(of.number), of.addition) if part)
