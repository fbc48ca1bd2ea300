"""Tell people who come a few times a year what changed meanwhile, in at most two lines."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from flask import request
from flask_babel import lazy_gettext as _

AWAY: Final = timedelta(days=90)
MOST_LINES: Final = 2
FIELD: Final = "news"
"""The field with the number of lines in the address of the first page: a day there would be personal."""

# The newest first. Write what a person at the desk does otherwise from that day on.
CHANGES: Final = (
    (date(2026, 12, 2), _("Sign in: click the field for your address, and your passkey appears.")),
    (date(2026, 11, 30), _("A signal that somebody puts back is on the list again, with the day it is due.")),
    (date(2026, 11, 24), _("The suggested next step now follows what was tried before.")),
)


def with_news(path: str, last_on: date | None, today: date) -> str:
    """Return the address of the first page; for a person who was away for long, with the number of lines."""
    if last_on is None or today - last_on < AWAY:
        return path
    number = min(sum(day > last_on for day, _text in CHANGES), MOST_LINES)
    return f"{path}{'&' if '?' in path else '?'}{FIELD}={number}" if number else path


def lines() -> Sequence[str]:
    """Return as many lines as the address asks for, the newest first."""
    number = request.args.get(FIELD, 0, type=int)
    return [str(text) for _day, text in CHANGES[: max(0, min(number, MOST_LINES))]]
