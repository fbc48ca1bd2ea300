"""The protocol of a release: what was done and what was proven, for a person to read. No secret is in it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from privacy.disclosure.tables import Cell


@dataclass(frozen=True, kw_only=True)
class _Words:
    """The sentences of a language; `but` says of what the proof does not hold, `gone` what was withheld."""

    head: str
    proof: str
    but: str
    note: str
    gone: str


def protocol_of(
    values: Mapping[Cell, int | None],
    withheld: Collection[str],
    *,
    earlier: int,
    needed: int,
    hopeless: int = 0,
) -> dict[str, str]:
    """Markdown by language, Dutch first: the rules, a line for each table and period, and the proof.

    It says how many cells are hidden and never why one is: whether a cell is below ten or stands beside one
    that is stays untold.
    """
    groups = list(_groups(values))
    numbers = {"earlier": earlier, "needed": needed, "hopeless": hopeless}
    return {code: _written(words, groups, withheld, numbers) for code, words in LANGUAGES.items()}


def _written(
    words: _Words,
    groups: Iterable[tuple[str, str, int, int]],
    withheld: Collection[str],
    numbers: Mapping[str, int],
) -> str:
    rows = [_row(group, words.note if group[0] in withheld else "") for group in groups]
    proof = words.proof.format_map(numbers)
    if numbers["hopeless"]:
        proof += words.but.format_map(numbers)
    ending = ["", words.gone.format(", ".join(sorted(withheld)))] if withheld else []
    return "\n".join([words.head, *rows, "", proof, *ending, ""])


def _groups(values: Mapping[Cell, int | None]) -> Iterable[tuple[str, str, int, int]]:
    keys = sorted({(cell.table, cell.period) for cell in values})
    for table, period in keys:
        inside = [value for cell, value in values.items() if (cell.table, cell.period) == (table, period)]
        yield table, period, len(inside), sum(value is None for value in inside)


def _row(group: tuple[str, str, int, int], note: str) -> str:
    table, period, cells, hidden = group
    return f"| {table}{note} | {period} | {cells} | {cells - hidden} | {hidden} |"


LANGUAGES: Final[Mapping[str, _Words]] = {
    "nl": _Words(
        head="""\
# Verslag van de toets voor vrijgave

Aantallen onder de tien zijn verborgen, nul ook; andere zijn afgerond op vijf. Daarnaast zijn meer cellen
verborgen, sommige door toeval. Een verborgen cel hoeft dus niet klein te zijn.

| tabel | periode | cellen | getoond | verborgen |
|---|---|---:|---:|---:|""",
        proof="""\
Voor elke verborgen cel is berekend wat zij ten minste en ten hoogste kan zijn, gegeven alles wat ooit is
vrijgegeven. Daarbij horen {earlier} cellen van eerdere vrijgaven. Aangenomen is dat een lezer weet welke
verborgen cellen onder de tien zijn, al weet niemand buiten dat. Elke verborgen cel houdt ten minste {needed}
mogelijke waarden over. Dat geldt ook voor wat overblijft van een totaal zonder de getoonde delen.""",
        but="""

Behalve voor {hopeless} uit eerdere vrijgaven, die al minder hadden: dit alles verbergen helpt die niet.""",
        note=" (achtergehouden)",
        gone="Achtergehouden, omdat dat voor deze tabellen niet kon: {}.",
    ),
    "en": _Words(
        head="""\
# Protocol of disclosure control

Counts below ten are hidden, zero too; others are rounded to the nearest five. Further cells are hidden beside
them, some by chance, so that a hidden cell need not be a small one.

| table | period | cells | shown | hidden |
|---|---|---:|---:|---:|""",
        proof="""\
The auditor solved all of it, together with {earlier} cells of earlier releases, for the least and the most
that fit everything ever published. It took for known what nobody outside knows: which hidden cells are below
ten. Each hidden cell keeps at least {needed} possible values, and so does what is left of a total without its
published parts.""",
        but="""

Except for {hopeless} of earlier releases, which had fewer before: hiding all of this cannot help them.""",
        note=" (withheld)",
        gone="Withheld, because that could not be had in them: {}.",
    ),
}
"""In which a protocol is written, the first for who does not choose."""
