"""Find numbers and addresses by their form: e-mail, bank account, telephone, BSN, any other long number."""

import re
from typing import Final

from privacy.redaction.canvas import Canvas

# Every repetition below is bounded or starts only where a word starts, so that no input makes them slow.
EMAIL: Final = re.compile(r"(?<![\w.+%-])[\w.+%-]+ ?@ ?[\w-]+(?:\.[\w-]+)*")
SPELT_EMAIL: Final = re.compile(
    r"(?<![\w.+-])[\w.+-]+ ?[(\[]?\b(?:at|apestaart|apenstaart(?:je)?)\b[)\]]? ?"
    r"[\w-]{1,63}(?: ?\.| ?[(\[]?(?:punt|dot)[)\]]?) ?(?:nl|com|org|net|eu|be|de|pl|tr|ro|bg|info)(?![\w-])"
)
_SPELT_AT: Final = re.compile(r"[ (\[](?:at|apenstaart|apestaart)")
DUTCH_IBAN: Final = re.compile(r"(?<![a-z0-9])nl[ .-]?\d\d[ .-]{0,2}[a-z]{4}(?:[ .-]{0,2}\d){10}(?!\d)")
_IBAN: Final = re.compile(r"(?<![a-z0-9])[a-z]{2}\d\d(?:[ .-]?[a-z0-9]){11,30}")
NATIONAL: Final = re.compile(r"(?<![\d+])\(?0(?:[ .\-/()]{0,3}\d){9}(?!\d)")
INTERNATIONAL: Final = re.compile(r"(?:\+|(?<!\d)00)[ (]{0,2}\d(?:[ .\-/()]{0,3}\d){7,13}(?!\d)")
LONG: Final = re.compile(r"(?<!\d)\d(?:[ .\-/]?\d){6,}")
_BSN_CUE: Final = re.compile(
    r"(?:bsn|sofi|burgerservice)[a-z]{0,10}[ .:]{0,3}(?:is |nr\.? |nummer )?[ .:]{0,2}$"
)
_ACCOUNT_CUE: Final = re.compile(
    r"(?:rekening|bankrek|rek|giro)[a-z]{0,8}[ .:]{0,3}(?:is |nr\.? )?[ .:]{0,2}$"
)
_NOT_DIGITS: Final = re.compile(r"\D")
_SEPARATORS: Final = str.maketrans("", "", " .-")


def find_emails(canvas: Canvas) -> None:
    """Addresses with @, and those spelt out (`piet (at) voorbeeld punt nl`)."""
    if "@" in canvas.lower:
        canvas.take_all(EMAIL, "email")
    if _SPELT_AT.search(canvas.lower):
        canvas.take_all(SPELT_EMAIL, "email")


def find_accounts(canvas: Canvas) -> None:
    """IBANs: Dutch ones by their form, right or mistyped; foreign ones by their check digits (ISO 13616)."""
    if not canvas.has_digits:
        return
    canvas.take_all(DUTCH_IBAN, "iban")
    for match in _IBAN.finditer(canvas.lower):
        length = _iban_length(match.group())
        if length:
            canvas.take(match.start(), match.start() + length, "iban")


def find_phones(canvas: Canvas) -> None:
    """Ten digits from 0, and numbers with a country code, however they are grouped."""
    if "0" in canvas.lower or "+" in canvas.lower:
        canvas.take_all(INTERNATIONAL, "phone")
        canvas.take_all(NATIONAL, "phone")


def find_long_numbers(canvas: Canvas) -> None:
    """Any other number of seven digits or more: nothing that long in a note is harmless."""
    for match in LONG.finditer(canvas.lower):
        kind = _kind_of(match.group(), canvas.lower[max(0, match.start() - 40) : match.start()])
        if kind:
            canvas.take(*match.span(), kind)


def _iban_length(text: str) -> int:
    """How many characters are an IBAN: the longest start with right check digits; 0 for none."""
    from stdnum.iso7064 import mod_97_10

    for end in range(len(text), 14, -1):
        compact = text[:end].translate(_SEPARATORS)
        if text[end - 1].isalnum() and len(compact) >= 15 and mod_97_10.is_valid(compact[4:] + compact[:4]):
            return end
    return 0


def _kind_of(text: str, before: str) -> str | None:
    digits = _NOT_DIGITS.sub("", text)
    if _is_bsn(digits) or _BSN_CUE.search(before):
        return "bsn"
    if _ACCOUNT_CUE.search(before):
        return "iban"
    return "phone" if digits == text or _is_phone(digits) else None


def _is_bsn(digits: str) -> bool:
    """Whether it passes the eleven test (Wet algemene bepalingen burgerservicenummer)."""
    from stdnum.nl import bsn

    return len(digits) == 9 and bsn.is_valid(digits)


def _is_phone(digits: str) -> bool:
    """Whether it may be a Dutch number, also one without its zero or its area code."""
    import phonenumbers

    try:
        number = phonenumbers.parse(digits, "NL")
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_possible_number(number)
