"""Show dates, deadlines and addresses in Amsterdam time and in the language of the page."""

from datetime import date, datetime

from babel.dates import format_date, format_datetime, get_day_names
from flask_babel import get_locale, gettext, ngettext

from signals.clock import AMSTERDAM
from signals.routing.postcodes import Address
from signals.web.http.i18n import DEFAULT


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


def address(place: Address) -> str:
    """Return `1012 AB 12-A`, as on a letter: without the hyphen, "12 14" reads as two numbers."""
    number = "-".join(part for part in (str(place.number), place.addition) if part)
    return f"{place.postcode[:4]} {place.postcode[4:]} {number}"
