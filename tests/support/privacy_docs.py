"""What docs/privacy/velden.md says of each column: of whom it is, its categories, and how it lies there."""

import re
from pathlib import Path

FIELDS = Path(__file__).resolve().parents[2] / "docs/privacy/velden.md"

_ROW = re.compile(
    r"^\| `(\w+\.\w+)` \| ([^|]+) \| (\w+) \| ([A-Z –-]+) \| (leesbaar|verzegeld|afgeleid|ingepakt) \|$",
    re.MULTILINE,
)


def described_columns() -> dict[str, tuple[str, set[str], str]]:
    """For each column: of whom, its codes, and how it lies there."""
    return {
        column: (whose, set(codes.split()) - {"–"}, how)
        for column, _what, whose, codes, how in _ROW.findall(FIELDS.read_text(encoding="utf-8"))
    }
