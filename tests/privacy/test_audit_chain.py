"""The audit chain: each kind of tampering is found, named and placed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privacy.audit_chain import (
    GENESIS,
    Checkpoint,
    Finding,
    FindingKind,
    HeadRefused,
    SignedHead,
    chain_link,
    sign_head,
    verify_head,
)
from privacy.audit_macs import AuditFacts, entry_mac
from tests.support.chain import StoredEntry, verify_chain

KEY, OTHER_KEY = bytes(range(32)), bytes(32)
ROOT = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ROOT_PUBLIC = ROOT.public_key().public_bytes_raw()
AT = datetime(2026, 10, 5, 8, 30, tzinfo=UTC)


def facts(number: int, **changes: Any) -> AuditFacts:
    entry = AuditFacts(
        entry_id=UUID(int=number),
        at=AT + timedelta(seconds=number),
        actor_id=UUID(int=1000),
        actor_role="team",
        organisation_id=UUID(int=2000),
        action="signal_opened",
        subject_id=UUID(int=3000 + number),
        ground="claimed",
        outcome="shown",
    )
    return replace(entry, **changes)


def linked(count: int, key: bytes = KEY) -> list[StoredEntry]:
    entries, link = [], GENESIS
    for position in range(1, count + 1):
        mac = entry_mac(key, facts(position))
        link = chain_link(key, link, mac, position)
        entries.append(StoredEntry(facts=facts(position), mac=mac, position=position, link=link))
    return entries


def head_of(entry: StoredEntry) -> SignedHead:
    assert entry.position is not None
    assert entry.link is not None
    signature = sign_head(ROOT, entry.position, entry.link, AT)
    return SignedHead(position=entry.position, link=entry.link, at=AT, signature=signature)


def renumbered(entries: Sequence[StoredEntry]) -> list[StoredEntry]:
    return [replace(entry, position=place) for place, entry in enumerate(entries, start=1)]


def found(entries: Sequence[StoredEntry], heads: Sequence[SignedHead] = ()) -> list[tuple[str, int]]:
    findings = verify_chain(KEY, entries, root_public=ROOT_PUBLIC, heads=heads)
    return [(finding.kind.value, finding.position) for finding in findings]


def test_a_whole_chain_has_no_findings() -> None:
    entries = linked(6)
    assert found(entries, [head_of(entries[2]), head_of(entries[5])]) == []


@pytest.mark.parametrize(
    "change",
    [
        {"entry_id": UUID(int=77)},
        {"at": AT + timedelta(microseconds=1)},
        {"actor_id": None},
        {"actor_role": "lead"},
        {"organisation_id": None},
        {"action": "signal_listed"},
        {"subject_id": UUID(int=77)},
        {"ground": ""},
        {"outcome": "refused"},
    ],
)
def test_any_changed_fact_is_an_edit(change: dict[str, Any]) -> None:
    entries = linked(5)
    entries[2] = replace(entries[2], facts=facts(3, **change))
    assert found(entries) == [("edited", 3)]


def test_a_finding_names_the_entry() -> None:
    entries = linked(3)
    entries[1] = replace(entries[1], facts=facts(2, outcome="refused"))
    (finding,) = verify_chain(KEY, entries, root_public=ROOT_PUBLIC)
    assert finding == Finding(kind=FindingKind.EDITED, position=2, entry_id=UUID(int=2))


def test_facts_and_mac_changed_together_are_an_edit() -> None:
    entries = linked(5)
    forged = facts(3, outcome="refused")
    entries[2] = replace(entries[2], facts=forged, mac=entry_mac(OTHER_KEY, forged))
    assert found(entries) == [("edited", 3)]


@pytest.mark.parametrize("link", [bytes(32), b"short", None])
def test_a_changed_link_is_an_edit(link: bytes | None) -> None:
    entries = linked(5)
    entries[2] = replace(entries[2], link=link)
    assert found(entries) == [("edited", 3)]


def test_a_changed_link_at_the_end_is_an_edit_when_a_head_knows_it() -> None:
    entries = linked(3)
    head = head_of(entries[2])
    entries[2] = replace(entries[2], link=bytes(32))
    assert found(entries, [head]) == [("edited", 3)]


def test_links_changed_all_over_are_found_without_growing_deep() -> None:
    entries = linked(3000)
    entries[::2] = [replace(entry, link=bytes(32)) for entry in entries[::2]]
    assert found(entries)[0] == ("edited", 1)


@pytest.mark.parametrize("place", [1, 2, 4])
def test_a_missing_entry_is_a_deletion_when_the_rest_is_renumbered(place: int) -> None:
    entries = linked(5)
    del entries[place - 1]
    assert found(renumbered(entries)) == [("deleted", place)]


def test_two_exchanged_rows_with_new_positions_are_a_reordering() -> None:
    entries = linked(6)
    entries[2], entries[4] = entries[4], entries[2]
    assert found(renumbered(entries)) == [("reordered", 3)]


def test_two_exchanged_contents_are_a_reordering() -> None:
    entries = linked(6)
    third, fifth = entries[2], entries[4]
    entries[2] = replace(third, facts=fifth.facts, mac=fifth.mac)
    entries[4] = replace(fifth, facts=third.facts, mac=third.mac)
    assert found(entries) == [("reordered", 3)]


def test_an_entry_that_is_there_twice_is_found() -> None:
    entries = linked(4)
    entries.insert(2, entries[0])
    assert found(renumbered(entries)) == [("reordered", 3)]


def test_a_missing_end_is_a_truncation() -> None:
    entries = linked(5)
    assert found(entries[:3], [head_of(entries[4])]) == [("truncated", 4)]


def test_an_emptied_chain_is_a_truncation() -> None:
    assert found([], [head_of(linked(5)[4])]) == [("truncated", 1)]


def test_a_new_chain_by_who_holds_the_key_is_refused_by_the_signed_head() -> None:
    head = head_of(linked(3)[2])
    entries, link = [], GENESIS
    for position in range(1, 4):
        changed = facts(position, outcome="refused")
        mac = entry_mac(KEY, changed)
        link = chain_link(KEY, link, mac, position)
        entries.append(StoredEntry(facts=changed, mac=mac, position=position, link=link))
    assert found(entries, [head]) == [("rewritten", 3)]


def test_a_head_that_the_root_did_not_sign_is_refused() -> None:
    entries = linked(3)
    head = replace(head_of(entries[2]), signature=bytes(64))
    assert found(entries, [head]) == [("head_refused", 3)]


def test_several_kinds_are_reported_each_at_its_first_place() -> None:
    entries = linked(8)
    head = head_of(entries[7])
    entries[1] = replace(entries[1], facts=facts(2, outcome="refused"))
    entries[2] = replace(entries[2], facts=facts(3, outcome="refused"))
    del entries[7]
    del entries[4]
    assert found(entries, [head]) == [("edited", 2), ("deleted", 5), ("truncated", 8)]


def test_an_edit_after_a_break_is_still_found() -> None:
    entries = linked(6)
    entries[4] = replace(entries[4], facts=facts(5, outcome="refused"))
    del entries[1]
    assert [kind for kind, _ in found(entries)] == ["deleted", "edited"]


def test_verification_starts_after_what_was_pruned() -> None:
    entries = linked(6)
    start = Checkpoint(position=3, link=entries[2].link or b"")
    assert verify_chain(KEY, entries[3:], root_public=ROOT_PUBLIC, start=start) == ()
    wrong = Checkpoint(position=3, link=bytes(32))
    (finding,) = verify_chain(KEY, entries[3:], root_public=ROOT_PUBLIC, start=wrong)
    assert finding.position == 4


def test_entries_that_nobody_linked_are_reported_and_their_macs_checked() -> None:
    waiting = StoredEntry(facts=facts(4), mac=entry_mac(KEY, facts(4)))
    (finding,) = verify_chain(KEY, linked(3), root_public=ROOT_PUBLIC, unlinked=[waiting])
    assert finding == Finding(kind=FindingKind.UNLINKED, position=4, entry_id=UUID(int=4))
    forged = replace(waiting, facts=facts(4, outcome="refused"))
    findings = verify_chain(KEY, linked(3), root_public=ROOT_PUBLIC, unlinked=[forged])
    assert {each.kind for each in findings} == {FindingKind.UNLINKED, FindingKind.EDITED}


def test_text_moved_between_two_facts_gives_another_mac() -> None:
    one = facts(1, ground="claimed", outcome="shown")
    assert entry_mac(KEY, one) != entry_mac(KEY, replace(one, ground="claimedshown", outcome=""))
    assert entry_mac(KEY, one) != entry_mac(KEY, replace(one, ground="", outcome="claimedshown"))


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        entry_mac(KEY, facts(1, at=datetime(2026, 10, 5)))


@pytest.mark.parametrize(("previous", "mac"), [(b"", bytes(32)), (bytes(32), bytes(31))])
def test_a_link_is_made_of_32_bytes_and_32_bytes(previous: bytes, mac: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        chain_link(KEY, previous, mac, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"position": 2},
        {"link": bytes(32)},
        {"at": AT + timedelta(seconds=1)},
        {"signature": b""},
        {"position": -1},
    ],
)
def test_a_changed_head_is_refused(change: dict[str, Any]) -> None:
    head = head_of(linked(3)[2])
    verify_head(ROOT_PUBLIC, head)
    with pytest.raises(HeadRefused):
        verify_head(ROOT_PUBLIC, replace(head, **change))
