"""The audit chain: a MAC over each entry, an HMAC chain over the entries, and heads signed with Ed25519.

Pure: who calls it reads and writes the rows. The MAC is committed with the entry before anything is shown; a
worker adds the link later, so that openings do not queue behind one another.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from itertools import chain
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

GENESIS: Final = b"signals/audit-genesis/v1".ljust(32, b"\x00")

_ENTRY_DOMAIN: Final = b"signals/audit-entry/v1\x00"
_LINK_DOMAIN: Final = b"signals/audit-link/v1\x00"
_HEAD_DOMAIN: Final = b"signals/audit-head/v1\x00"
_MAC_SIZE: Final = 32
_ID_HEAD: Final = b"\x01\x00\x00\x00\x10"


class HeadRefused(Exception):
    """The signature under this head of the audit chain is not the root's."""

    def __init__(self) -> None:
        super().__init__(type(self).__doc__)


class FindingKind(StrEnum):
    """What was done to the chain."""

    EDITED = "edited"  # the facts, MAC or link of an entry were changed
    DELETED = "deleted"  # an entry is missing, with later ones still there
    REORDERED = "reordered"  # the entries are all there, in another order, or one was repeated
    TRUNCATED = "truncated"  # the end that a signed head speaks of is missing
    REWRITTEN = "rewritten"  # the chain is whole, but not the one that a signed head speaks of
    HEAD_REFUSED = "head_refused"  # a head without the root's signature
    UNLINKED = "unlinked"  # an entry that no worker has linked


@dataclass(frozen=True, kw_only=True)
class AuditFacts:
    """What an entry says (NEN 7513): who did what to which record, on what ground, with what outcome.

    Ids and codes only, never an address or a name. `at` is aware; microseconds count.
    """

    entry_id: UUID
    at: datetime
    actor_id: UUID | None
    actor_role: str
    organisation_id: UUID | None
    action: str
    subject_id: UUID | None
    ground: str
    outcome: str


@dataclass(frozen=True, kw_only=True)
class StoredEntry:
    """An entry as its row holds it; `position` (from 1) and `link` are None until a worker links it."""

    facts: AuditFacts
    mac: bytes
    position: int | None = None
    link: bytes | None = None


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


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The first sign of one kind of tampering; `position` is where the chain should have gone on."""

    kind: FindingKind
    position: int
    entry_id: UUID | None = None


def entry_mac(key: bytes, facts: AuditFacts) -> bytes:
    """Return HMAC-SHA256 over all facts, each with its length, so that no two entries share an encoding."""
    return mac_of(
        key,
        facts.entry_id,
        facts.at,
        facts.actor_id,
        facts.actor_role,
        facts.organisation_id,
        facts.action,
        facts.subject_id,
        facts.ground,
        facts.outcome,
    )


def mac_of(
    key: bytes,
    entry_id: UUID,
    at: datetime,
    actor_id: UUID | None,
    actor_role: str,
    organisation_id: UUID | None,
    action: str,
    subject_id: UUID | None,
    ground: str,
    outcome: str,
) -> bytes:
    """The same for facts one by one, where thousands are written or checked at once."""
    message = b"".join(
        (
            _ENTRY_DOMAIN,
            id_field(entry_id.bytes),
            moment_field(at),
            id_field(_raw(actor_id)),
            text_field(actor_role),
            id_field(_raw(organisation_id)),
            text_field(action),
            id_field(_raw(subject_id)),
            text_field(ground),
            text_field(outcome),
        )
    )
    return hmac.digest(key, message, hashlib.sha256)


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


def verify_chain(
    key: bytes,
    entries: Iterable[StoredEntry],
    *,
    root_public: bytes,
    heads: Sequence[SignedHead] = (),
    start: Checkpoint | None = None,
    unlinked: Iterable[StoredEntry] = (),
) -> tuple[Finding, ...]:
    """Return the first finding of each kind, in order of position; an empty tuple is a whole chain.

    `entries` are the linked rows by position, streamed once. After the first break of the chain (deleted,
    reordered) only MACs are checked: what follows cannot be told apart from its echo. `heads` should hold the
    last one, kept outside the database: who removes the end and its heads together is seen only by that.
    `unlinked` are the rows that have waited longer than the linking worker may take.
    """
    walk = _Walk(key, start or Checkpoint(), {head.position: head.link for head in heads})
    walk.run(iter(entries))
    for head in heads:
        walk.check_head(root_public, head)
    for entry in unlinked:
        walk.check_unlinked(entry)
    return tuple(sorted(walk.findings.values(), key=lambda finding: finding.position))


class _Walk:
    """One pass over the chain: where it is, and the first finding of each kind."""

    def __init__(self, key: bytes, start: Checkpoint, heads: Mapping[int, bytes]) -> None:
        self._key = key
        self._position = start.position
        self._link = start.link
        self._heads = heads
        self._read_ahead: list[StoredEntry] = []
        self.findings: dict[FindingKind, Finding] = {}

    def run(self, entries: Iterator[StoredEntry]) -> None:
        for entry in self._each(entries):
            expected = self._expected_link(entry.mac)
            if entry.position == self._position + 1 and _same(entry.link, expected):
                self._check_mac(entry, self._position + 1)
                self._advance(expected)
            else:
                self._explain_break(entry, entries)

    def check_head(self, root_public: bytes, head: SignedHead) -> None:
        try:
            verify_head(root_public, head)
        except HeadRefused:
            self._found(FindingKind.HEAD_REFUSED, head.position)
            return
        if head.position > self._position:
            self._found(FindingKind.TRUNCATED, self._position + 1)

    def check_unlinked(self, entry: StoredEntry) -> None:
        self._check_mac(entry, self._position + 1)
        self._found(FindingKind.UNLINKED, self._position + 1, entry.facts.entry_id)

    def _advance(self, link: bytes) -> None:
        self._position += 1
        self._link = link
        # Whoever holds the MAC key can make a whole new chain, but not the signature under the old one.
        if self._heads.get(self._position, link) != link:
            self._found(FindingKind.REWRITTEN, self._position)

    def _explain_break(self, entry: StoredEntry, rest: Iterator[StoredEntry]) -> None:
        """Tell why the chain does not go on here: one changed entry, or a break that ends the walk."""
        place = self._position + 1
        following = next(rest, None)
        self._read_ahead += [] if following is None else [following]
        # Only this row was touched when the next one builds on its link, or on what that should be.
        for link in (entry.link, self._expected_link(entry.mac)):
            if entry.position == place and link is not None and self._resumes(link, following):
                self._found(self._touched(entry, link), place, entry.facts.entry_id)
                self._advance(link)
                return
        reordered = self._read_rest(chain([entry], self._each(rest)))
        self._found(FindingKind.REORDERED if reordered else FindingKind.DELETED, place)

    def _touched(self, entry: StoredEntry, link: bytes) -> FindingKind:
        # A genuine entry under a genuine link that is not its own: it belongs elsewhere in the chain.
        genuine = _same(entry.mac, entry_mac(self._key, entry.facts))
        return FindingKind.REORDERED if genuine and link == entry.link else FindingKind.EDITED

    def _each(self, entries: Iterator[StoredEntry]) -> Iterator[StoredEntry]:
        while (entry := self._read_ahead.pop() if self._read_ahead else next(entries, None)) is not None:
            yield entry

    def _resumes(self, link: bytes, following: StoredEntry | None) -> bool:
        if following is None:
            return self._heads.get(self._position + 1) == link
        if len(link) != _MAC_SIZE or len(following.mac) != _MAC_SIZE:
            return False
        expected = chain_link(self._key, link, following.mac, self._position + 2)
        return following.position == self._position + 2 and _same(following.link, expected)

    def _read_rest(self, entries: Iterable[StoredEntry]) -> bool:
        """Check the MACs of the rest; tell whether the entry that should have come next is among it."""
        next_links, links = set(), set()
        last = self._position
        for place, entry in enumerate(entries, start=self._position + 1):
            self._check_mac(entry, place)
            next_links.add(self._expected_link(entry.mac))
            links.add(entry.link)
            last = max(last, entry.position or 0)
        self._position = last
        return not next_links.isdisjoint(links)

    def _check_mac(self, entry: StoredEntry, place: int) -> None:
        if not _same(entry.mac, entry_mac(self._key, entry.facts)):
            self._found(FindingKind.EDITED, place, entry.facts.entry_id)

    def _expected_link(self, mac: bytes) -> bytes:
        # A MAC of another length is an edit, found as such; here it only has to fit nowhere.
        mac = mac if len(mac) == _MAC_SIZE else bytes(_MAC_SIZE)
        return chain_link(self._key, self._link, mac, self._position + 1)

    def _found(self, kind: FindingKind, position: int, entry_id: UUID | None = None) -> None:
        self.findings.setdefault(kind, Finding(kind=kind, position=position, entry_id=entry_id))


def _same(left: bytes | None, right: bytes) -> bool:
    return left is not None and hmac.compare_digest(left, right)


def id_field(raw: bytes | None) -> bytes:
    """An id of 16 bytes, or none, as a part of what the MAC of an entry is made over."""
    return b"\x00" if raw is None else _ID_HEAD + raw


@lru_cache(maxsize=4096)  # codes: few, and each in thousands of entries
def text_field(value: str) -> bytes:
    """The same for a code."""
    return _field(value.encode())


@lru_cache(maxsize=64)  # entries of one transaction share a moment
def moment_field(at: datetime) -> bytes:
    """The same for an aware moment."""
    return _field(_moment(at))


def _raw(value: UUID | None) -> bytes | None:
    return None if value is None else value.bytes


def _field(value: bytes) -> bytes:
    return b"\x01" + len(value).to_bytes(4, "big") + value


def _moment(at: datetime) -> bytes:
    if at.tzinfo is None:
        raise ValueError("an aware datetime is needed")
    return at.astimezone(UTC).isoformat(timespec="microseconds").encode()


def _head_statement(position: int, link: bytes, at: datetime) -> bytes:
    return _HEAD_DOMAIN + position.to_bytes(8, "big") + _field(link) + _moment(at)
