"""The sentences of `signals statistics verify`; they name tables and cells as the files do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from privacy.disclosure.folder import HIDDEN


@dataclass(frozen=True, kw_only=True)
class _Words:
    """The sentences of a language. `changed`: by what is not as it was."""

    counted: str
    contradiction: str
    told: str
    derived: str
    ok: str
    hidden: str
    absent: str
    changed: Mapping[str, str]
    same: str


def told(data: Mapping[str, Any]) -> str:
    """Return the answer as text, in the requested language."""
    return "\n".join(_lines(data, LANGUAGES[data["language"]]))


def _lines(data: Mapping[str, Any], words: _Words) -> Iterator[str]:
    yield words.counted.format_map(data)
    if data["contradiction"]:
        yield words.contradiction
    for one in data["told"]:
        yield words.told.format(place=_place(one), least=one["least"], most=one["most"])
    for one in data["derived"]:
        yield words.derived.format(place=_place(one))
    if data["safe"]:
        yield words.ok.format_map(data)
    if data["against"] is not None:
        yield from _compared(data["against"], words)


def _compared(against: Mapping[str, Any], words: _Words) -> Iterator[str]:
    for one in against["changes"]:
        was, now = (_value(one[side], words) for side in ("was", "now"))
        yield words.changed[one["what"]].format(place=_place(one), was=was, now=now)
    if not against["changes"]:
        yield words.same.format_map(against)


def _value(value: Any, words: _Words) -> str:
    return words.absent if value is None else words.hidden if value == HIDDEN else str(value)


def _place(one: Mapping[str, Any]) -> str:
    parts = one["table"], one["period"], "/".join(one.get("keys", ())), one.get("measure", "")
    return visible(" ".join(filter(None, parts)))


def visible(text: str) -> str:
    """Escape text from a folder, so that it cannot move the cursor and forge the answer."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


LANGUAGES: Final[Mapping[str, _Words]] = {
    "nl": _Words(
        counted="{tables} tabellen, {cells} cellen, waarvan {hidden} verborgen.",
        contradiction="De cijfers spreken elkaar tegen: er zijn geen aantallen die ze opleveren.",
        told="Verraden: {place} is {least} tot en met {most}.",
        derived="Scheelt een kleine groep met andere, of mist zijn basis: {place}.",
        ok="Elke verborgen cel houdt ten minste {needed} mogelijke waarden over.",
        hidden="verborgen",
        absent="afwezig",
        changed={
            "gone": "Verdwenen: {place} was gepubliceerd en staat er niet meer.",
            "added": "Toegevoegd: {place} hoort bij een publicatie waar deze tabel niet in stond.",
            "reshaped": "Veranderd: {place} is anders ingedeeld dan toen.",
            "withheld": "Veranderd: {place} is achtergehouden en was dat niet, of andersom.",
            "value": "Veranderd: {place} was {was} en is nu {now}.",
        },
        same="Niets van wat eerder gepubliceerd was is veranderd: {cells} cellen vergeleken.",
    ),
    "en": _Words(
        counted="{tables} tables, {cells} cells, {hidden} of them hidden.",
        contradiction="The figures contradict each other: no counts at all would give them.",
        told="Given away: {place} is {least} to {most}.",
        derived="Differs from others by a small group, or lacks its base: {place}.",
        ok="Every hidden cell keeps at least {needed} possible values.",
        hidden="hidden",
        absent="absent",
        changed={
            "gone": "Gone: {place} was published and is not there any more.",
            "added": "Added: {place} is of a release that did not have this table.",
            "reshaped": "Changed: {place} is divided otherwise than it was.",
            "withheld": "Changed: {place} is withheld and was not, or the other way round.",
            "value": "Changed: {place} was {was} and is {now} now.",
        },
        same="Nothing that was published earlier has changed: {cells} cells compared.",
    ),
}
"""The first is the default."""
