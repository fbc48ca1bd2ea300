"""The audit chain: a MAC over each entry, an HMAC chain over the entries, and heads signed with Ed25519.

Pure: who calls it reads and writes the rows. The MAC is committed with the entry before anything is shown; a
worker adds the link later, so that openings do not queue behind one another.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import Any, Final, Self
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from privacy.audit_macs import ID_SIZE, moment_bytes, sized
from privacy.macs import many_macs

GENESIS: Final = b"signals/audit-genesis/v1".ljust(32, b"\x00")

_LINK_DOMAIN: Final = b"signals/audit-link/v1\x00"
_HEAD_DOMAIN: Final = b"signals/audit-head/v1\x00"
_MAC_SIZE: Final = 32


class HeadRefused(Exception):
    """The signature under this head of the audit chain is not the root's."""

    def __init__(self) -> None:
        super().__init__(type(self).__doc__)


class FindingKind(StrEnum):
    """The kinds of damage to the chain."""

    EDITED = "edited"  # the facts, MAC or link of an entry were changed
    DELETED = "deleted"  # an entry is missing, with later ones still there
    REORDERED = "reordered"  # the entries are all there, in another order, or one was repeated
    TRUNCATED = "truncated"  # the end that a signed head speaks of is missing
    REWRITTEN = "rewritten"  # the chain is whole, but not the one that a signed head speaks of
    HEAD_REFUSED = "head_refused"  # a head without the root's signature
    UNSIGNED = "unsigned"  # entries are linked past the last head: that was removed
    UNLINKED = "unlinked"  # an entry that no worker has linked


ChainRow = tuple[int | None, bytes | None, bytes, bytes, bytes]
"""An entry as the chain sees it: position, link, MAC, the bytes that the MAC is made over, id (16 bytes)."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """From where a chain is verified: its beginning, or the entry after which older ones were pruned."""

    position: int = 0
    link: bytes = GENESIS


@dataclass(frozen=True, kw_only=True)
class SignedHead:
    """The last position and link at a moment, with the root's signature (64 bytes)."""

    position: int
    link: bytes
    at: datetime
    signature: bytes

    def as_json(self) -> dict[str, Any]:
        """For a place outside the database: the link in hex, the signature in base64."""
        return {
            "position": self.position,
            "link": self.link.hex(),
            "at": self.at.isoformat(),
            "signature": base64.b64encode(self.signature).decode(),
        }

    @classmethod
    def from_json(cls, said: Any) -> Self:
        """Read back what `as_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        return cls(
            position=int(said["position"]),
            link=bytes.fromhex(said["link"]),
            at=datetime.fromisoformat(said["at"]),
            signature=base64.b64decode(said["signature"]),
        )


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The first sign of one kind of tampering; `position` is where the chain should have gone on."""

    kind: FindingKind
    position: int
    entry_id: UUID | None = None


def chain_link(key: bytes, previous: bytes, entry_mac: bytes, position: int) -> bytes:
    """Return the link of the entry at a position (from 1): HMAC-SHA256 over position, previous link and MAC.

    `previous` is `GENESIS` for position 1. Raises `ValueError` when one of the two has not 32 bytes.
    """
    if len(previous) != _MAC_SIZE or len(entry_mac) != _MAC_SIZE:
        raise ValueError("links and MACs have 32 bytes")
    return hmac.digest(key, _LINK_DOMAIN + position.to_bytes(8, "big") + previous + entry_mac, hashlib.sha256)


def sign_head(root: Ed25519PrivateKey, position: int, link: bytes, at: datetime) -> bytes:
    """Return the root's signature (64 bytes) that the chain ended here at this moment (aware)."""
    return root.sign(_head_statement(position, link, at))


def verify_head(root_public: bytes, head: SignedHead) -> None:
    """Raise `HeadRefused` unless the root (32 raw bytes) signed this head."""
    try:
        key = Ed25519PublicKey.from_public_bytes(root_public)
        key.verify(head.signature, _head_statement(head.position, head.link, head.at))
    except (InvalidSignature, ValueError, OverflowError):
        raise HeadRefused from None


def verify_rows(
    key: bytes,
    rows: Iterable[ChainRow],
    *,
    root_public: bytes,
    heads: Sequence[SignedHead] = (),
    start: Checkpoint | None = None,
    unlinked: Iterable[tuple[bool, ChainRow]] = (),
) -> tuple[Finding, ...]:
    """Return the first finding of each kind, in order of position; an empty tuple is a whole chain.

    `rows` are the linked entries by position, streamed once. After the first break (deleted, reordered) only
    MACs are checked: nothing tells what follows from its echo. Keep the last of `heads` outside the database:
    only that shows that somebody removed the end together with its heads. `unlinked`: whether a row waits too
    long, and the row. This computes nothing of an entry but the two HMACs that check it.
    """
    walk = _Walk(key, start or Checkpoint(), {head.position: head.link for head in heads})
    walk.run(iter(rows))
    for head in heads:
        walk.check_head(root_public, head)
    for is_late, row in unlinked:
        walk.check_unlinked(row, is_late=is_late)
    return tuple(sorted(walk.findings.values(), key=lambda finding: finding.position))


class _Walk:
    """One pass over the chain: where it is, and the first finding of each kind."""

    def __init__(self, key: bytes, start: Checkpoint, heads: Mapping[int, bytes]) -> None:
        self._key = key
        self._position = start.position
        self._link = start.link
        self._heads = heads
        self._read_ahead: list[ChainRow] = []
        self.findings: dict[FindingKind, Finding] = {}

    def run(self, rows: Iterator[ChainRow]) -> None:
        # Written out, for a million times over: what `_genuine`, `_expected_link` and `_advance` do.
        heads, digest = self._heads, many_macs(self._key)
        for row in self._each(rows):
            position, link, mac, message, _ = row
            place = self._position + 1
            linked = _LINK_DOMAIN + place.to_bytes(8, "big") + self._link + mac
            if position != place or len(mac) != _MAC_SIZE or link != digest(linked):
                self._explain_break(row, rows)
                continue
            if digest(message) != mac:
                self._found(FindingKind.EDITED, place, row)
            self._position, self._link = place, link
            if place in heads:
                self._compare_head()

    def check_head(self, root_public: bytes, head: SignedHead) -> None:
        try:
            verify_head(root_public, head)
        except HeadRefused:
            self._found(FindingKind.HEAD_REFUSED, head.position)
            return
        if head.position > self._position:
            self._found(FindingKind.TRUNCATED, self._position + 1)

    def check_unlinked(self, row: ChainRow, *, is_late: bool) -> None:
        self._check_mac(row, self._position + 1)
        if is_late:
            self._found(FindingKind.UNLINKED, self._position + 1, row)

    def _advance(self, link: bytes) -> None:
        self._position += 1
        self._link = link
        self._compare_head()

    def _compare_head(self) -> None:
        # Whoever holds the MAC key can make a whole new chain, but not the signature under the old one.
        if self._heads.get(self._position, self._link) != self._link:
            self._found(FindingKind.REWRITTEN, self._position)

    def _explain_break(self, row: ChainRow, rest: Iterator[ChainRow]) -> None:
        """Tell why the chain does not go on here: one changed entry, or a break that ends the walk."""
        place = self._position + 1
        following = next(rest, None)
        self._read_ahead += [] if following is None else [following]
        # Only this row was touched when the next one builds on its link, or on what that should be.
        position, stored, mac, _, _ = row
        for link in (stored, self._expected_link(mac)):
            if position == place and link is not None and self._resumes(link, following):
                self._found(self._touched(row, link), place, row)
                self._advance(link)
                return
        reordered = self._read_rest(chain([row], self._each(rest)))
        self._found(FindingKind.REORDERED if reordered else FindingKind.DELETED, place)

    def _touched(self, row: ChainRow, link: bytes) -> FindingKind:
        # A genuine entry under a genuine link that is not its own: it belongs elsewhere in the chain.
        return FindingKind.REORDERED if self._genuine(row) and link == row[1] else FindingKind.EDITED

    def _each(self, rows: Iterator[ChainRow]) -> Iterator[ChainRow]:
        while (row := self._read_ahead.pop() if self._read_ahead else next(rows, None)) is not None:
            yield row

    def _resumes(self, link: bytes, following: ChainRow | None) -> bool:
        if following is None:
            return self._heads.get(self._position + 1) == link
        position, stored, mac, _, _ = following
        if len(link) != _MAC_SIZE or len(mac) != _MAC_SIZE:
            return False
        return position == self._position + 2 and stored == chain_link(self._key, link, mac, position)

    def _read_rest(self, rows: Iterable[ChainRow]) -> bool:
        """Check the MACs of the rest; tell whether the entry that should have come next is among it."""
        next_links, links = set(), set()
        last = self._position
        for place, row in enumerate(rows, start=self._position + 1):
            self._check_mac(row, place)
            next_links.add(self._expected_link(row[2]))
            links.add(row[1])
            last = max(last, row[0] or 0)
        self._position = last
        return not next_links.isdisjoint(links)

    def _check_mac(self, row: ChainRow, place: int) -> None:
        if not self._genuine(row):
            self._found(FindingKind.EDITED, place, row)

    def _genuine(self, row: ChainRow) -> bool:
        # Plain comparison: nobody who could measure it hands in the rows one by one.
        return hmac.digest(self._key, row[3], hashlib.sha256) == row[2]

    def _expected_link(self, mac: bytes) -> bytes:
        # A MAC of another length is an edit, found as such; here it only has to fit nowhere.
        mac = mac if len(mac) == _MAC_SIZE else bytes(_MAC_SIZE)
        return chain_link(self._key, self._link, mac, self._position + 1)

    def _found(self, kind: FindingKind, position: int, row: ChainRow | None = None) -> None:
        entry_id = UUID(bytes=row[4]) if row and len(row[4]) == ID_SIZE else None
        self.findings.setdefault(kind, Finding(kind=kind, position=position, entry_id=entry_id))


def _head_statement(position: int, link: bytes, at: datetime) -> bytes:
    return _HEAD_DOMAIN + position.to_bytes(8, "big") + sized(link) + moment_bytes(at)
