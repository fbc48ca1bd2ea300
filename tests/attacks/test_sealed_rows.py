"""A database in the wrong hands: dumped, guessed at, its rows and keys exchanged."""

import uuid
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, update

from privacy.keystore import WrongMasterKey, open_keystore
from privacy.pseudonyms import canonical_address, house_pseudonym, pseudonym
from privacy.receipts import body_mac, idempotency_hash, receipt_for
from privacy.sealing import (
    MailboxPrivateKey,
    SealingError,
    generate_mailbox_keypair,
    open_from_mailbox,
    sign_public_key,
    week_start,
)
from signals.errors import ContentGone
from signals.intake.content import context_of, open_report, open_summaries
from signals.models import AddressLink, IdempotencyKey, MailboxPublicKey, SealedReport, Signal
from signals.routing.postcodes import Address
from signals.routing.snapshot import routing_changed
from tests.support.world import AMSTERDAM, GRONINGEN, NATIONAL, World, key, report

HOME = Address(postcode="1012AB", number=12)
GUESSES = [Address(postcode=f"1012A{letter}", number=n) for letter in "ABC" for n in range(1, 30)]
"""Stands for all nine million addresses: the right one is among them."""


def _arrived(world: World, *homes: Address) -> Sequence[Signal]:
    for number, home in enumerate(homes):
        world.receive(number, home)
    world.worker().arrive()
    return world.signals()


# Dumped


def test_with_the_database_alone_no_guess_of_an_address_fits(world: World) -> None:
    """The attacker knows the idempotency key of the report, and every address, but no key of ours."""
    world.receive(1, HOME)
    dump = _dump(world)
    for guess in GUESSES:
        body = report(guess).canonical()
        for secret in (b"\x00" * 32, idempotency_hash(key(1))):
            assert body_mac(secret, key(1), body) not in dump
            assert receipt_for(secret, key(1), body).encode() not in dump


def test_with_the_database_alone_no_guess_of_a_pseudonym_fits(world: World) -> None:
    _arrived(world, HOME)
    dump = _dump(world)
    for guess in GUESSES:
        for secret in (b"", b"\x00" * 32, AMSTERDAM.bytes, AMSTERDAM.bytes * 2):
            assert pseudonym(secret, guess.postcode, guess.number) not in dump
            assert house_pseudonym(secret, guess.postcode, guess.number) not in dump
        assert canonical_address(guess.postcode, guess.number) not in dump


def test_the_right_keys_do_find_the_address_so_that_the_search_can_fail(world: World) -> None:
    _arrived(world, HOME)
    secret = world.keystore.pseudonym_key(AMSTERDAM, "2026-Q4")
    found = [g for g in GUESSES if pseudonym(secret, g.postcode, g.number) in _dump(world)]
    assert found == [HOME]


def test_one_address_has_another_pseudonym_in_each_organisation(world: World) -> None:
    keys = [world.keystore.pseudonym_key(each, "2026-Q4") for each in (AMSTERDAM, GRONINGEN, NATIONAL)]
    assert len({pseudonym(each, "1012AB", 12) for each in keys}) == 3


def test_a_dump_opens_with_no_mailbox_key_but_the_organisations_own(world: World) -> None:
    world.receive(1, HOME)
    [row] = world.sealed()
    context = context_of(row.signal_id, row.organisation_id, row.mailbox_key_id)
    private = world.keystore.mailbox_private_keys(k.key_id for k in world.keystore.list_mailbox_keys())
    opened = []
    for key_id, raw in private.items():
        try:
            open_from_mailbox(row.envelope, MailboxPrivateKey.from_bytes(raw), context)
        except SealingError:
            continue
        opened.append(key_id)
    assert opened == [row.mailbox_key_id]


def test_the_keystore_without_the_master_key_opens_nothing(world: World) -> None:
    [signal] = _arrived(world, HOME)
    stolen = open_keystore(world.settings.keystore.url, b"\x01" * 32)
    try:
        with pytest.raises(WrongMasterKey):
            stolen.ping()
        with pytest.raises(WrongMasterKey):
            open_report(stolen, signal)
        with pytest.raises(WrongMasterKey):
            stolen.pseudonym_keys(AMSTERDAM, ["2026-Q4"])
    finally:
        stolen.dispose()


def test_once_the_case_key_is_destroyed_the_restored_database_says_nothing(world: World) -> None:
    [signal] = _arrived(world, HOME)
    world.keystore.destroy_case_keys([signal.case_key_id])
    with pytest.raises(ContentGone):
        open_report(world.keystore, signal)
    assert open_summaries(world.keystore, [signal]) == {}


# Exchanged


@pytest.mark.parametrize("columns", [["content"], ["summary"], ["content", "summary"]])
def test_sealed_columns_swapped_between_two_signals_do_not_open(world: World, columns: list[str]) -> None:
    first, second = _arrived(world, HOME, Address(postcode="1012AB", number=13))
    _swap(world, first, second, columns)
    for signal in world.signals():
        with pytest.raises(ContentGone):
            open_report(world.keystore, signal)


def test_a_signal_moved_to_another_organisation_does_not_open_there(world: World) -> None:
    [signal] = _arrived(world, HOME)
    with world.sessions.begin() as session:
        session.execute(update(Signal).values(organisation_id=GRONINGEN))
    [moved] = world.signals()
    assert moved.id == signal.id
    with pytest.raises(ContentGone):
        open_report(world.keystore, moved)


# Keys of the attacker's own


def test_a_mailbox_key_signed_by_another_root_is_not_used(world: World) -> None:
    private, public = generate_mailbox_keypair()
    key_id, week = uuid.uuid4(), week_start(date(2026, 11, 24))
    forged = sign_public_key(
        Ed25519PrivateKey.generate(), key_id=key_id, organisation_id=AMSTERDAM, week=week, public_key=public
    )
    with world.sessions.begin() as session:
        row = session.scalars(
            select(MailboxPublicKey).where(
                MailboxPublicKey.organisation_id == AMSTERDAM, MailboxPublicKey.week == week
            )
        ).one()
        row.key_id, row.public_key, row.signature = key_id, public, forged
        routing_changed(session)
    world.receive(1, HOME)
    [sealed] = world.sealed()
    assert (sealed.organisation_id, sealed.mailbox_key_id == key_id) == (NATIONAL, False)
    with pytest.raises(SealingError):
        open_from_mailbox(
            sealed.envelope,
            MailboxPrivateKey.from_bytes(private),
            context_of(sealed.signal_id, sealed.organisation_id, sealed.mailbox_key_id),
        )


def test_an_old_key_put_in_the_place_of_this_weeks_is_not_used(world: World) -> None:
    weeks = [week_start(date(2026, 11, 24)), week_start(date(2026, 12, 1))]
    with world.sessions.begin() as session:
        old, new = session.scalars(
            select(MailboxPublicKey)
            .where(MailboxPublicKey.organisation_id == AMSTERDAM, MailboxPublicKey.week.in_(weeks))
            .order_by(MailboxPublicKey.week)
        ).all()
        new.public_key, new.signature = old.public_key, old.signature
        routing_changed(session)
    world.move(days=7)
    assert world.receive(1, HOME).organisation.id == NATIONAL


def _dump(world: World) -> bytes:
    """Every value of the tables that a report touches."""
    values: list[Any] = []
    with world.sessions() as session:
        for model in (IdempotencyKey, SealedReport, Signal, AddressLink):
            for row in session.execute(select(model.__table__)):
                values.extend(row)
    return b"|".join(value if isinstance(value, bytes) else str(value).encode() for value in values)


def _swap(world: World, first: Signal, second: Signal, columns: list[str]) -> None:
    with world.sessions.begin() as session:
        for target, source in ((first, second), (second, first)):
            values = {column: getattr(source, column) for column in columns}
            session.execute(update(Signal).where(Signal.id == target.id).values(values))
