"""Streets with or without a number, house numbers with a word that shows them for one."""

import re
from typing import Final

from privacy.redaction.canvas import BLANK, Canvas, Token, tokens_of
from privacy.redaction.dutch import looks_dutch
from privacy.redaction.words import words

_STREET_ENDS: Final = (
    "straat",
    "straatje",
    "str",
    "laan",
    "weg",
    "plein",
    "gracht",
    "singel",
    "steeg",
    "dreef",
    "plantsoen",
    "kade",
    "dijk",
    "hof",
    "pad",
    "markt",
    "park",
    "ring",
    "wal",
    "baan",
    "burcht",
    "veld",
    "hoek",
    "kamp",
    "akker",
    "weide",
    "oord",
    "erf",
    "meent",
    "haven",
    "sluis",
    "brug",
    "boulevard",
    "poort",
    "wijk",
    "burg",
    "horst",
    "hage",
    "werf",
    "donk",
    "tuin",
    "zoom",
    "rijn",
    "duin",
    "duinen",
    "bos",
    "berg",
    "dal",
    "stein",
    "voort",
    "hout",
    "eiland",
)
SURE_ENDS: Final = (
    "straat",
    "laan",
    "gracht",
    "singel",
    "plein",
    "kade",
    "dreef",
    "plantsoen",
    "steeg",
    "weg",
    "dijk",
)
"""Endings that mark a street without a number."""

_NUMBER: Final = (
    r"\d{1,5}(?:-\d{1,4}| ?/ ?\d{1,3}|[ -]?(?:bis|hs|huis|rood|zw|i{2,3}|iv)\b|-?[a-z]\b| [a-h]\b(?! ))?"
    r"(?![\da-z])"
)
_NUMBER_AFTER: Final = re.compile(
    rf"(?:[ ,.:]{{0,3}}(?:huisnummer|nummer|nr|no)\b\.?)?[ ,]{{0,2}}({_NUMBER})"
)
_CUED: Final = re.compile(
    r"\b(?:huisnummer|huisnr|huisnum|hnr|nummer|numer|nr|appartement|appartment|app|apt|flat|kamer|kmr|unit|woning|"
    rf"huis|perceel|deur|adres|portiek|kavel|ligplaats|standplaats)"
    rf"[ .:]{{1,3}}(?:is |nummer |nr\.? |van |op )?({_NUMBER})"
)
_OF_NEIGHBOURS: Final = re.compile(
    r"\b(?:buren|buur|buurman|buurvrouw|bure|bewoners?|bewoonster|mensen|gezin|familie|mevrouw|mevr|mw|meneer|dhr|man|"
    rf"vrouw|woont|wonen|woon|overkant|ook|hier|deur|zit|naast|tegenover)"
    rf"[ ,](?:van |op |bij |nr ){{1,2}}({_NUMBER})"
)
_NEIGHBOURS_OF: Final = re.compile(
    rf"\b(?:buren|bure|buurman|buurvrouw|overkant|naast|tegenover|woont op|woont nu op|staat op)"
    rf"(?: van| op)? ({_NUMBER})"
)
_LETTERED: Final = re.compile(r"(?<![\d\w.,:-])\d{1,4}(?:-?[a-c]|[ -]?(?:bis|hs))(?![\da-z-])")
_BARE_BEFORE_POSTCODE: Final = re.compile(rf"{BLANK} ?,? ?(?:nr\.? ?|nummer )?({_NUMBER})(?=[ ,.]|$)")
_UNIT: Final = re.compile(
    r" ?(?:keer|x\b|dag|dage|we+k|maand|uur|ure|min|jaar|jr|jarig|pakk|pakj|pers|mens|stuk|graden|"
    r"grade|kilo|kg|meter|"
    r"euro|brie|krant|doz|zak|fles|hond|kat|liter|procent|%|van\b|of\b|tot\b|hoog\b|e\b|ste\b|de\b|"
    r"nachten|trap|vuilnis|keren)"
)


def find_addresses(canvas: Canvas) -> None:
    """Streets by their endings, unlisted words with a number, numbers after `nr`, `kamer`, `buren van`."""
    tokens = tokens_of(canvas)
    has_digits = canvas.has_digits
    for index, token in enumerate(tokens):
        if not has_digits and not token.text.endswith(SURE_ENDS):
            continue
        end = _street_end(canvas, tokens, index)
        if end:
            start = tokens[_first_part(canvas, tokens, index)].start
            canvas.take(start, max(end, token.end), "address")
    if has_digits:
        _find_numbers(canvas)


def _find_numbers(canvas: Canvas) -> None:
    for pattern in (_CUED, _OF_NEIGHBOURS, _NEIGHBOURS_OF):
        for match in pattern.finditer(canvas.lower):
            if not _has_unit(canvas.lower, match, cued=pattern is _CUED) and not _is_age_of(
                canvas.lower, match
            ):
                canvas.take(*match.span(1), "address")
    canvas.take_all(_LETTERED, "address")
    for match in _BARE_BEFORE_POSTCODE.finditer(canvas.lower):
        if any(kind == "postcode" and end == match.start() + 1 for _, end, kind in canvas.found):
            canvas.take(*match.span(1), "address")


def _has_unit(text: str, match: re.Match[str], *, cued: bool) -> bool:
    """Whether the number counts something; `nummer 102 hoog` does not."""
    unit = _UNIT.match(text, match.end())
    return unit is not None and not (cued and unit.group().strip() == "hoog")


def _is_age_of(text: str, match: re.Match[str]) -> bool:
    """`mevrouw van 82`: an age, left to its own rules (the finder of ages comes next)."""
    return (
        re.match(r"(?:mevrouw|mevr|mw|meneer|dhr|man|vrouw) van \d{2}\b", text[match.start() : match.end()])
        is not None
    )


def _street_end(canvas: Canvas, tokens: list[Token], index: int) -> int:
    """Return the end of the address whose street is this word; 0 when the word is no street."""
    token = tokens[index]
    number = _NUMBER_AFTER.match(canvas.lower, token.end)
    if number and _UNIT.match(canvas.lower, number.end()):
        number = None
    if token.text.endswith(_STREET_ENDS) and number and not _is_plain(token):
        return number.end()
    if token.text.endswith(SURE_ENDS) and len(token.text) > 6 and not _is_plain(token):
        return token.end
    if number and _may_be_street(tokens, index):
        return number.end()
    return 0


def _is_plain(token: Token) -> bool:
    """Return whether a word such as `onderweg` names no street; `op straat 3 pakketten`."""
    return token.text in words().no_streets or token.text in words().common


def _may_be_street(tokens: list[Token], index: int) -> bool:
    """Return whether an unlisted word before a number follows `op`, `aan` or `in`, or is `laan van ...`."""
    token = tokens[index]
    if token.text in words().only_names or len(token.text) < 4 or looks_dutch(token.text):
        return _has_long_name(tokens, index)
    before = {word.text for word in tokens[max(0, index - 2) : index]}
    return not before.isdisjoint({"op", "aan", "in", "adres", "woont", "woon", "bij", "van", "hoek", "naar"})


def _has_long_name(tokens: list[Token], index: int) -> bool:
    """`laan van eik en duinen 77`, `oude gracht 55`."""
    earlier = [word.text for word in tokens[max(0, index - 5) : index]]
    after_lane = any(word in {"laan", "weg", "hof", "plein"} for word in earlier) and "van" in earlier
    return after_lane or (
        bool(earlier) and tokens[index].text in words().no_streets and earlier[-1] in words().street_parts
    )


def _first_part(canvas: Canvas, tokens: list[Token], index: int) -> int:
    """Return the index of the street's first word: `Jan van Galenstraat`, `Prins Hendrikkade`."""
    first = candidate = index
    while (
        candidate > 0 and index - candidate < 5 and _joined(canvas, tokens[candidate - 1], tokens[candidate])
    ):
        candidate -= 1
        word = tokens[candidate]
        if _belongs(word) or (
            word.text == "van" and first == candidate + 1 and tokens[first].text in {"der", "den"}
        ):
            first = candidate
        elif word.text in {"der", "den"} or (word.text not in words().street_particles):
            if word.text not in {"der", "den"}:
                break
            first = candidate
    return _lane_before(tokens, index) or first


def _lane_before(tokens: list[Token], index: int) -> int:
    """Return the index of `laan` in `laan van eik en duinen`; 0 when there is none."""
    for candidate in range(max(0, index - 5), index - 1):
        if tokens[candidate].text in {"laan", "weg", "hof", "plein"} and tokens[candidate + 1].text in {
            "van",
            "der",
        }:
            return candidate
    return 0


def _belongs(word: Token) -> bool:
    known = words()
    named = word.text in known.first_names and word.text not in known.common
    return (
        word.text in words().street_parts
        or named
        or (word.capital and not looks_dutch(word.text) and word.text not in words().street_particles)
    )


def _joined(canvas: Canvas, left: Token, right: Token) -> bool:
    return canvas.lower[left.end : right.start].strip(" .'-") == "" and right.start - left.end <= 2
