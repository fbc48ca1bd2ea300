"""Rules that need no long list, as patterns for a phone: it marks what they find while the carrier types.

ECMAScript reads them. A phone looks for each in the note without accents, in lower case and as typed.
It finds less than `redact`, and what it finds `redact` takes out.
"""

from functools import lru_cache

from privacy.redaction import addresses, dates, numbers, places
from privacy.redaction.words import listed


@lru_cache(maxsize=1)
def patterns() -> tuple[str, ...]:
    """Return the patterns; only that of names needs capitals."""
    whole = (
        numbers.EMAIL, numbers.SPELT_EMAIL, numbers.DUTCH_IBAN, numbers.INTERNATIONAL, numbers.NATIONAL,
        dates.FULL, numbers.LONG, dates.WITH_MONTH, places.plates("-"),
    )  # fmt: skip
    return (*(pattern.pattern for pattern in whole), _postcode(), _street(), _name())


def _postcode() -> str:
    """Return the rule of postcodes without `2024 is`, a number and the next word."""
    short = "|".join(sorted(listed("short_words")))
    return rf"{places.DIGITS_OF_POSTCODE}(?:[ .-]{{1,2}}(?!(?:{short})(?![a-z0-9])))?[a-z]{{2}}(?![a-z0-9])"


def _street() -> str:
    ends = "|".join(addresses.SURE_ENDS)
    others = "|".join(sorted(word for word in listed("no_streets") if word.endswith(addresses.SURE_ENDS)))
    return rf"\b(?!(?:{others})\b)[a-z'-]{{3,}}(?:{ends})\b(?:[ ,]{{1,2}}\d{{1,5}}(?: ?[a-z])?(?![\da-z]))?"


def _name() -> str:
    """Return the rule of a word with a capital behind a title."""
    titles = "|".join(f"[{title[0].upper()}{title[0]}]{title[1:]}" for title in sorted(listed("titles")))
    return rf"(?<=\b(?:{titles})\.? (?:(?:van|de|der|den|el|ten|ter|la) ){{0,2}})[A-Z][A-Za-z'-]+"
