"""The protocol of a release: what was done and what was proven, for a person to read. No secret is in it."""

from collections.abc import Collection, Iterable, Mapping

from privacy.disclosure.tables import Cell


def protocol_of(
    values: Mapping[Cell, int | None],
    withheld: Collection[str],
    *,
    earlier: int,
    needed: int,
    hopeless: int = 0,
) -> str:
    """Markdown: the rules, one line for each table and period, and the proof.

    It says how many cells are hidden and never why one is: whether a cell is below ten or stands beside one
    that is stays untold.
    """
    rows = [_row(group, withheld) for group in _groups(values)]
    proof = _PROOF.format(earlier=earlier, needed=needed)
    if hopeless:
        proof += _BUT.format(hopeless=hopeless)
    return "\n".join([_HEAD, *rows, "", proof, *_withheld(withheld), ""])


_HEAD = """\
# Protocol of disclosure control

Counts below ten are hidden, zero too; others are rounded to the nearest five. Further cells are hidden beside
them, some by chance, so that a hidden cell need not be a small one.

| table | period | cells | shown | hidden |
|---|---|---:|---:|---:|"""
_PROOF = """\
The auditor solved all of it, together with {earlier} cells of earlier releases, for the least and the most
that fit everything ever published. It took for known what nobody outside knows: which hidden cells are below
ten. Each hidden cell keeps at least {needed} possible values, and so does what is left of a total without its
published parts."""
_BUT = """

Except for {hopeless} of earlier releases, which had fewer before: hiding all of this cannot help them."""


def _groups(values: Mapping[Cell, int | None]) -> Iterable[tuple[str, str, int, int]]:
    keys = sorted({(cell.table, cell.period) for cell in values})
    for table, period in keys:
        inside = [value for cell, value in values.items() if (cell.table, cell.period) == (table, period)]
        yield table, period, len(inside), sum(value is None for value in inside)


def _row(group: tuple[str, str, int, int], withheld: Collection[str]) -> str:
    table, period, cells, hidden = group
    note = " (withheld)" if table in withheld else ""
    return f"| {table}{note} | {period} | {cells} | {cells - hidden} | {hidden} |"


def _withheld(withheld: Collection[str]) -> list[str]:
    if not withheld:
        return []
    return ["", f"Withheld, because that could not be had in them: {', '.join(sorted(withheld))}."]
