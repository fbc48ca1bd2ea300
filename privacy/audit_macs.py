"""Make the MAC of one audit entry over everything that it says."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

from privacy.macs import Mac, many_macs

ENTRY_DOMAIN: Final = b"signals/audit-entry/v1\x00"


ID_SIZE: Final = 16


ABSENT: Final = b"\x00"


ID_HEAD: Final = b"\x01\x00\x00\x00\x10"


ENTRY_HEAD: Final = ENTRY_DOMAIN + ID_HEAD


MOMENT_SIZE: Final = 32


MOMENT_HEAD: Final = b"\x01\x00\x00\x00\x20"


@dataclass(frozen=True, kw_only=True)
class AuditFacts:
    """The facts of an entry (NEN 7513): the actor, the action, the record, the ground and the outcome.

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


def entry_mac(key: bytes, facts: AuditFacts) -> bytes:
    """Return HMAC-SHA256 over all facts, each with its length, so that no two entries share an encoding."""
    return mac_of(
        many_macs(key),
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
    mac: Mac,
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
    """Return the MAC of an entry given as single facts; `mac` comes from `many_macs`."""
    message = entry_message(
        entry_id.bytes,
        moment_field(at),
        who_and_what(id_bytes(actor_id), actor_role, id_bytes(organisation_id), action),
        id_bytes(subject_id),
        ground_and_outcome(ground, outcome),
    )
    return mac(message)


def entry_message(
    entry_id: bytes, moment: bytes, before: bytes, subject_id: bytes | None, after: bytes
) -> bytes:
    """Return the bytes under an entry's MAC; ids are 16 bytes, `moment` comes from `moment_field`.

    `before` and `after` the subject come from `who_and_what` and `ground_and_outcome`.
    """
    return b"".join((ENTRY_HEAD, entry_id, moment, before, id_field(subject_id), after))


@lru_cache(maxsize=4096)  # people and what they do are few, and each in thousands of entries
def who_and_what(
    actor_id: bytes | None, actor_role: str, organisation_id: bytes | None, action: str
) -> bytes:
    """Encode the facts between the moment and the subject for the MAC."""
    return b"".join(
        (id_field(actor_id), text_bytes(actor_role), id_field(organisation_id), text_bytes(action))
    )


@lru_cache(maxsize=4096)
def ground_and_outcome(ground: str, outcome: str) -> bytes:
    """Encode the facts after the subject for the MAC."""
    return text_bytes(ground) + text_bytes(outcome)


@lru_cache(maxsize=1024)  # entries of one transaction share a moment
def moment_field(at: datetime) -> bytes:
    """Encode an aware moment for the MAC of an entry."""
    return sized(moment_bytes(at))


def moment_text(iso: str) -> bytes:
    """Encode a moment in ISO 8601, UTC, with six digits of a second, for the MAC of an entry."""
    written = iso.encode()
    return MOMENT_HEAD + written if len(written) == MOMENT_SIZE else sized(written)


def id_bytes(value: UUID | None) -> bytes | None:
    return None if value is None else value.bytes


def id_field(value: bytes | None) -> bytes:
    return ABSENT if value is None else ID_HEAD + value


def text_bytes(value: str) -> bytes:
    return sized(value.encode())


def sized(value: bytes) -> bytes:
    return b"\x01" + len(value).to_bytes(4, "big") + value


def moment_bytes(at: datetime) -> bytes:
    if at.tzinfo is None:
        raise ValueError("an aware datetime is needed")
    return at.astimezone(UTC).isoformat(timespec="microseconds").encode()
