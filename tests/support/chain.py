"""Verify a chain of entries that a test builds without a database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from privacy.audit_chain import ChainRow, Checkpoint, Finding, SignedHead, verify_rows
from privacy.audit_macs import (
    AuditFacts,
    entry_message,
    ground_and_outcome,
    id_bytes,
    moment_field,
    who_and_what,
)


@dataclass(frozen=True, kw_only=True)
class StoredEntry:
    """An entry as its row holds it; `position` (from 1) and `link` are None until a worker links it."""

    facts: AuditFacts
    mac: bytes
    position: int | None = None
    link: bytes | None = None


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
    return verify_rows(
        key,
        map(_row, entries),
        root_public=root_public,
        heads=heads,
        start=start,
        unlinked=((True, _row(entry)) for entry in unlinked),
    )


def _row(entry: StoredEntry) -> ChainRow:
    facts = entry.facts
    message = entry_message(
        facts.entry_id.bytes,
        moment_field(facts.at),
        who_and_what(
            id_bytes(facts.actor_id), facts.actor_role, id_bytes(facts.organisation_id), facts.action
        ),
        id_bytes(facts.subject_id),
        ground_and_outcome(facts.ground, facts.outcome),
    )
    return entry.position, entry.link, entry.mac, message, facts.entry_id.bytes
