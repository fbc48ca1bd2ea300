"""Change one row of the audit chain in any way: the check reports that row."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from privacy.audit_chain import GENESIS, SignedHead, chain_link, sign_head
from privacy.audit_macs import AuditFacts, entry_mac
from tests.support.chain import StoredEntry, verify_chain

KEY = bytes(range(32))
AT = datetime(2026, 10, 5, tzinfo=UTC)
ROOT = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ROOT_PUBLIC = ROOT.public_key().public_bytes_raw()

words = st.sampled_from(["", "a", "aa", "é", "\x00", "\x01"])
facts = st.builds(
    AuditFacts,
    entry_id=st.uuids(),
    at=st.integers(0, 10**6).map(lambda number: AT + timedelta(microseconds=number)),
    actor_id=st.none() | st.uuids(),
    actor_role=words,
    organisation_id=st.none() | st.uuids(),
    action=words,
    subject_id=st.none() | st.uuids(),
    ground=words,
    outcome=words,
)
chains = st.lists(facts, min_size=2, max_size=5, unique_by=lambda each: each.entry_id)


def stored(entries: list[AuditFacts]) -> tuple[list[StoredEntry], SignedHead]:
    rows, link = [], GENESIS
    for position, each in enumerate(entries, start=1):
        mac = entry_mac(KEY, each)
        link = chain_link(KEY, link, mac, position)
        rows.append(StoredEntry(facts=each, mac=mac, position=position, link=link))
    signature = sign_head(ROOT, len(rows), link, AT)
    return rows, SignedHead(position=len(rows), link=link, at=AT, signature=signature)


def first(rows: list[StoredEntry], head: SignedHead) -> tuple[str, int]:
    findings = verify_chain(KEY, rows, root_public=ROOT_PUBLIC, heads=[head])
    return findings[0].kind.value, findings[0].position


@given(chains)
def test_a_chain_as_it_was_written_is_whole(entries: list[AuditFacts]) -> None:
    rows, head = stored(entries)
    assert verify_chain(KEY, rows, root_public=ROOT_PUBLIC, heads=[head]) == ()


@given(chains, st.data())
def test_an_edit_is_found_where_it_was_made(entries: list[AuditFacts], data: st.DataObject) -> None:
    rows, head = stored(entries)
    place = data.draw(st.integers(0, len(rows) - 1))
    changed = replace(rows[place].facts, actor_id=UUID(int=data.draw(st.integers(0, 9))))
    rows[place] = replace(rows[place], facts=changed)
    assert first(rows, head) == ("edited", place + 1)


@given(chains, st.data(), st.booleans())
def test_a_deletion_is_found_where_it_was_made(
    entries: list[AuditFacts], data: st.DataObject, renumber: bool
) -> None:
    rows, head = stored(entries)
    place = data.draw(st.integers(0, len(rows) - 1))
    kind = "truncated" if place == len(rows) - 1 else "deleted"
    del rows[place]
    if renumber:
        rows = [replace(row, position=position) for position, row in enumerate(rows, start=1)]
    assert first(rows, head) == (kind, place + 1)


@given(chains, st.data(), st.booleans())
def test_a_reordering_is_found_where_it_begins(
    entries: list[AuditFacts], data: st.DataObject, renumber: bool
) -> None:
    rows, head = stored(entries)
    one = data.draw(st.integers(0, len(rows) - 2))
    other = data.draw(st.integers(one + 1, len(rows) - 1))
    rows[one], rows[other] = rows[other], rows[one]
    if renumber:
        rows = [replace(row, position=position) for position, row in enumerate(rows, start=1)]
    assert first(rows, head) == ("reordered", one + 1)


@given(facts, facts)
def test_two_entries_share_a_mac_only_when_they_say_the_same(one: AuditFacts, other: AuditFacts) -> None:
    assert (one == other) == (entry_mac(KEY, one) == entry_mac(KEY, other))
