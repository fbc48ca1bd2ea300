"""Read released tables: drawn once with noise, signed, and never changed.

`noisy` holds the numbers as drawn: they are right on average and may be negative. Compute intervals, and
sums over years, from them. `fitting.fitted` makes the numbers to show.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from itertools import takewhile
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.errors import SignalsError
from signals.models import Publication
from signals.statistics.menu import Codes, Dimension, Table, kind_of

_DOMAIN: Final = b"signals/publication/v1\x00"


class Forged(SignalsError):
    """A released table does not carry the signature of the keystore's root."""

    code = "forged_figures"


@dataclass(frozen=True, kw_only=True)
class ReleasedTable(Table):
    """A table as it was on the day of its draw, with the numbers of one period.

    `noisy`: each cell (one code a dimension) with its own noise.
    `draws`: the number of years that were pooled; one signal is in one of them, so epsilon stays.
    """

    period: str
    drawn_on: date
    noisy: Mapping[Codes, int]
    draws: int = 1

    @property
    def variance(self) -> float:
        """Return the variance of the noise on each cell; cells are independent."""
        return self.draws * super().variance


def publications(session: Session) -> Sequence[Publication]:
    """Return all released tables as stored, the oldest period first; `read_table` reads one."""
    return session.scalars(select(Publication).order_by(Publication.period, Publication.code)).all()


def pooled(tables: Sequence[ReleasedTable]) -> ReleasedTable:
    """Return the sum of one table over years, the newest first; a year with other codes ends the sum."""
    newest = tables[0]
    same = list(takewhile(lambda table: table.dimensions == newest.dimensions, tables))
    if len(same) == 1:
        return newest
    return replace(
        newest,
        period=f"{same[-1].period}-{newest.period}",
        noisy={codes: sum(table.noisy[codes] for table in same) for codes in newest.noisy},
        draws=len(same),
    )


def read_table(row: Publication) -> ReleasedTable:
    """Return a stored row as a table."""
    said: dict[str, Any] = json.loads(row.content)
    return ReleasedTable(
        code=row.code,
        kind=kind_of(row.period),
        period=row.period,
        drawn_on=row.drawn_on,
        epsilon=Fraction(row.epsilon),
        sensitivity=said["sensitivity"],
        dimensions=tuple(
            Dimension(name=name, codes=tuple(codes)) for name, codes in said["dimensions"].items()
        ),
        noisy={tuple(codes): count for *codes, count in said["cells"]},
    )


def sign(row: Publication, root: Ed25519PrivateKey) -> bytes:
    """Return the root's signature (64 bytes) over a table, as over the heads of the audit trail."""
    return root.sign(_statement(row))


def refuse_forged(row: Publication, root: Ed25519PublicKey) -> None:
    """Raise `Forged` unless the root signed this table as it is."""
    if _is_forged(row, root):
        raise Forged(f"{row.code} of {row.period} is not signed by this service")


def forged_tables(session: Session, root: bytes) -> tuple[str, ...]:
    """Return each stored table (`2026/attempts`) that the root, 32 raw bytes, did not sign as it is."""
    key = Ed25519PublicKey.from_public_bytes(root)
    return tuple(f"{row.period}/{row.code}" for row in publications(session) if _is_forged(row, key))


def _is_forged(row: Publication, root: Ed25519PublicKey) -> bool:
    try:
        root.verify(row.signature, _statement(row))
    except InvalidSignature:
        return True
    return False


def _statement(row: Publication) -> bytes:
    said = [row.period, row.code, row.epsilon, row.drawn_on.isoformat(), row.content]
    return _DOMAIN + json.dumps(said, separators=(",", ":")).encode()
