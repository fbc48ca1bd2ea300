"""Takes identifying strings out of a carrier's note before it is sealed: by rules and word lists, no model.

It reduces what a note gives away; it does not remove everything (docs/redaction.md has the figures).
AVG article 5(1)(c), minimisation.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from privacy.redaction.addresses import find_addresses
from privacy.redaction.ages import find_ages, find_ages_after_names
from privacy.redaction.canvas import Canvas
from privacy.redaction.dates import find_dates, find_full_dates
from privacy.redaction.names import find_names
from privacy.redaction.numbers import find_accounts, find_emails, find_long_numbers, find_phones
from privacy.redaction.places import find_plates, find_postcodes

MARKERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "bsn": "[bsn]",
        "iban": "[rekening]",
        "phone": "[telefoon]",
        "email": "[e-mail]",
        "postcode": "[postcode]",
        "address": "[adres]",
        "plate": "[kenteken]",
        "date": "[datum]",
        "age": "[leeftijd]",
        "name": "[naam]",
    }
)
"""The kinds, and the Dutch word that stands in the note for each."""

# The order matters: what is certain by its form goes first and cannot be taken for something else after.
_FINDERS: Final = (
    find_emails,
    find_full_dates,
    find_accounts,
    find_phones,
    find_dates,
    find_long_numbers,
    find_plates,
    find_postcodes,
    find_addresses,
    find_ages,
    find_names,
    find_ages_after_names,
)


@dataclass(frozen=True, kw_only=True)
class Redacted:
    """A note without what the rules recognised, and how often each kind was taken out."""

    text: str = field(repr=False)
    counts: Mapping[str, int]


def redact(note: str) -> Redacted:
    """Replace what identifies a person by neutral markers; never raises, and repeats no text anywhere.

    Redacting the result again changes nothing. The time grows linearly with the length of the note; the text
    at most fivefold, since a short string goes only beside the word that shows what it is.
    """
    counts: Counter[str] = Counter()
    text = note
    # A marker may bring to light what stood hidden beside it; each round leaves fewer characters to find.
    while spans := _found(text):
        counts.update(kind for _, _, kind in spans)
        text = _replaced(text, spans)
    return Redacted(text=text, counts=MappingProxyType(dict(sorted(counts.items()))))


def _found(text: str) -> list[tuple[int, int, str]]:
    """(start, end, kind) in the text as it was given, in order, without overlap."""
    canvas = Canvas.of(text, MARKERS.values())
    for find in _FINDERS:
        find(canvas)
    return canvas.spans()


def _replaced(text: str, spans: list[tuple[int, int, str]]) -> str:
    parts, position = [], 0
    for start, end, kind in spans:
        parts += [text[position:start], MARKERS[kind]]
        position = end
    return "".join([*parts, text[position:]])
