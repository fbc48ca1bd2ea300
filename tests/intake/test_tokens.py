"""A token proves a carrier once; a report without one has a small lane of its own."""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from signals.clock import today
from signals.errors import SignalsError, TokenNotAccepted, UnprovenFull
from signals.intake.authorisation import DirectoryRefused, read_directory
from signals.intake.content import Summary, open_summaries
from signals.intake.receiving import Intake, Received
from signals.models import IdempotencyKey, SealedReport, SpentToken, UnprovenDay
from signals.settings import LimitsSettings
from signals.vocabulary import Profession, Source
from tests.support.at_once import run_at_once
from tests.support.phone import Phone
from tests.support.token_side import Mint
from tests.support.world import AMSTERDAM, IN_AMSTERDAM, IN_GRONINGEN, World, key, report

SMALL = LimitsSettings()
CLOSED = LimitsSettings(unproven_reports_per_area_and_hour=0)
OF_THE_DAY = LimitsSettings(unproven_reports_per_area_and_hour=1000)


@pytest.fixture
def mint(world: World) -> Mint:
    made = Mint(today(world.clock))
    made.trust_in(world.settings.front.issuers_file)
    return made


def refused(act: Callable[[], Received]) -> str:
    """Return the refusal of a report as its sender may tell it from another."""
    with pytest.raises(SignalsError) as error:
        act()
    return repr((type(error.value), error.value.status, error.value.code, str(error.value)))


def send(door: Intake, world: World, number: int, token: bytes | None = None, **of: object) -> Received:
    return door.receive(world.clock, key=key(number), report=report(**of), token=token)  # type: ignore[arg-type]


def sources(world: World) -> list[Source]:
    world.worker().arrive()
    return sorted(summary.source for summary in summaries(world))


def summaries(world: World) -> Collection[Summary]:
    return open_summaries(world.keystore, world.signals()).values()


def test_a_report_with_a_token_comes_from_a_carrier_and_one_without_is_unproven(
    world: World, mint: Mint
) -> None:
    send(world.intake(), world, 1, mint.token())
    send(world.intake(), world, 2)
    assert sources(world) == [Source.CARRIER, Source.UNPROVEN]
    assert (world.count(SpentToken), world.count(UnprovenDay)) == (1, 1)


def test_the_issuer_states_the_profession(world: World, mint: Mint) -> None:
    mint.trust_in(world.settings.front.issuers_file, profession=Profession.HOUSING)
    send(world.intake(), world, 1, mint.token())
    world.worker().arrive()
    assert [summary.profession for summary in summaries(world)] == [Profession.HOUSING]


def test_a_profession_that_only_the_row_states_proves_nothing(world: World) -> None:
    send(world.intake(), world, 1)
    root = world.keystore.root_public_key()
    phone = Phone(world.client(), root)
    assert phone.send(phone.seal(report(IN_GRONINGEN))).status_code == 201
    with world.sessions.begin() as session:
        session.execute(update(SealedReport).values(profession=Profession.CARRIER))
    assert sources(world) == [Source.UNPROVEN, Source.UNPROVEN]


@pytest.mark.parametrize(
    ("stated", "with_token", "source"),
    [
        (Profession.CARRIER, True, Source.CARRIER),
        (Profession.CARRIER, False, Source.UNPROVEN),
        (Profession.HOUSING, True, Source.UNPROVEN),
        (None, True, Source.UNPROVEN),
    ],
)
def test_a_phone_proves_the_profession_that_it_sealed(
    world: World, mint: Mint, stated: Profession | None, with_token: bool, source: Source
) -> None:
    phone = Phone(world.client(), world.keystore.root_public_key())
    body, token = phone.seal(report(profession=stated)), mint.token(origin="127.0.0.1:8000")
    assert phone.send(body, token=token if with_token else None).status_code == 201
    assert sources(world) == [source]


def test_a_token_of_last_week_counts(world: World, mint: Mint) -> None:
    assert send(world.intake(), world, 1, mint.token(-1)).receipt


def test_every_bad_proof_gets_one_and_the_same_answer(world: World, mint: Mint) -> None:
    door = world.intake()
    spent, other = mint.token(), Mint(mint.on)
    send(door, world, 1, spent)
    good = mint.token()
    bad = {
        "another issuer's key": other.token(),
        "altered nonce": good[:5] + bytes([good[5] ^ 1]) + good[6:],
        "altered signature": good[:-1] + bytes([good[-1] ^ 1]),
        "a value of n": good[:-256] + mint.modulus.to_bytes(256, "big"),
        "all ones": good[:-256] + b"\xff" * 256,
        "older than the previous week": mint.token(-2),
        "of next week": mint.token(1),
        "for another service": mint.token(origin="elsewhere.example.org"),
        "spent before": spent,
        "too short": good[:-1],
        "nothing": b"",
        "too long": good + b"x",
        "another type": b"\x00\x01" + good[2:],
    }
    answers = {name: refused(lambda token=token: send(door, world, 99, token)) for name, token in bad.items()}
    assert Counter(answers.values()) == {refused(lambda: send(door, world, 98, b"x")): len(bad)}, answers
    assert (world.count(SealedReport), world.count(IdempotencyKey), world.count(SpentToken)) == (1, 1, 1)


def test_a_token_is_not_spent_again_for_another_area(world: World, mint: Mint) -> None:
    token = mint.token()
    send(world.intake(), world, 1, token, address=IN_AMSTERDAM)
    with pytest.raises(TokenNotAccepted):
        send(world.intake(), world, 2, token, address=IN_GRONINGEN)


def test_a_retry_spends_nothing_more_with_its_own_or_another_or_no_token(world: World, mint: Mint) -> None:
    first_token = mint.token()
    first = send(world.intake(), world, 1, first_token)
    for token in (first_token, mint.token(), b"nonsense", None):
        assert send(world.intake(lane=CLOSED), world, 1, token) == first
    assert (world.count(SpentToken), world.count(UnprovenDay), world.count(SealedReport)) == (1, 0, 1)
    world.clock.moment += timedelta(days=6)  # a new week: the token is of last week then
    assert send(world.intake(), world, 1, first_token) == first


def test_sixteen_threads_with_one_token_make_one_report(world: World, mint: Mint) -> None:
    token, doors = mint.token(), [world.intake() for _ in range(4)]

    def go(number: int) -> bool:
        try:
            send(doors[number % 4], world, number, token)
        except TokenNotAccepted:
            return False
        return True

    assert sum(run_at_once(*[lambda number=number: go(number) for number in range(16)])) == 1
    assert [world.count(model) for model in (SealedReport, IdempotencyKey, SpentToken)] == [1, 1, 1]


def test_sixteen_threads_with_one_report_and_one_token_get_one_answer(world: World, mint: Mint) -> None:
    token, doors = mint.token(), [world.intake() for _ in range(4)]
    answers = run_at_once(*[lambda door=doors[n % 4]: send(door, world, 1, token) for n in range(16)])
    assert len({answer.receipt for answer in answers}) == 1
    assert (world.count(SealedReport), world.count(SpentToken)) == (1, 1)


def test_spent_tokens_and_counts_go_when_their_time_is_over(world: World, mint: Mint) -> None:
    send(world.intake(), world, 1, mint.token())
    send(world.intake(), world, 2)
    week = timedelta(weeks=1)
    world.clock.moment += week
    world.worker().forget_retries()
    assert (world.count(SpentToken), world.count(UnprovenDay)) == (1, 0)
    world.clock.moment += week
    world.worker().forget_retries()
    assert world.count(SpentToken) == 0


# The small lane
def test_the_lane_takes_three_an_hour_from_a_process_and_a_token_never_touches_it(
    world: World, mint: Mint
) -> None:
    door = world.intake(lane=SMALL)
    for number in (1, 1, 1, 2, 3):  # a retry takes no place
        send(door, world, number)
    with pytest.raises(UnprovenFull):
        send(door, world, 4)
    for number in range(10, 15):
        send(door, world, number, mint.token())
    world.clock.moment += timedelta(minutes=61)
    send(door, world, 4)
    assert world.rows(select(UnprovenDay.number)) == [4]


def test_a_full_lane_tells_nobody_the_minute_of_a_report(world: World) -> None:
    door, told = world.intake(lane=replace(SMALL, unproven_reports_per_area_and_hour=1)), []
    hour = world.clock.moment.replace(minute=0, second=0, microsecond=0)
    for minute in (5, 40):
        world.clock.moment = hour + timedelta(minutes=minute)
        send(door, world, minute)
        world.clock.moment = hour + timedelta(minutes=50)
        with pytest.raises(UnprovenFull) as full:
            send(door, world, 50)
        told.append(full.value.retry_after)
        hour += timedelta(hours=1)
    assert told == [600, 600]


def test_of_two_at_once_the_later_may_come_first_and_both_give_their_place_back(world: World) -> None:
    door, now = world.intake(lane=SMALL), world.clock.now()
    earlier = now - timedelta(milliseconds=1)
    with (
        door.lane.place(AMSTERDAM, now.date(), now),
        door.lane.place(AMSTERDAM, now.date(), earlier),
    ):
        send(door, world, 1)
        with pytest.raises(UnprovenFull):
            send(door, world, 2)
    send(door, world, 3)


def test_a_flood_without_tokens_brings_twelve_a_day_however_many_processes_take_it(
    world: World, mint: Mint
) -> None:
    doors = [world.intake(lane=OF_THE_DAY) for _ in range(4)]

    def go(number: int) -> bool:
        try:
            send(doors[number % 4], world, number)
        except UnprovenFull:
            return False
        return True

    for start in range(0, 48, 16):
        run_at_once(*[lambda number=number: go(number) for number in range(start, start + 16)])
    assert world.count(SealedReport) == 12
    send(doors[0], world, 99, mint.token())
    send(doors[0], world, 98, address=IN_GRONINGEN)
    world.clock.moment += timedelta(days=1)
    assert send(doors[0], world, 97)


def test_a_full_day_costs_the_database_no_transaction(world: World) -> None:
    door = world.intake(lane=replace(OF_THE_DAY, unproven_reports_per_area_and_day=1))
    send(door, world, 1)
    with pytest.raises(UnprovenFull):
        send(door, world, 2)
    with world.sessions.begin() as session:
        session.execute(update(UnprovenDay).values(number=0))
    with pytest.raises(UnprovenFull):
        send(door, world, 3)


# Trust
def test_the_file_of_issuers_is_read_again_when_it_changes(world: World, mint: Mint) -> None:
    door = world.intake()
    file = world.settings.front.issuers_file
    file.unlink()
    with pytest.raises(TokenNotAccepted):
        send(door, world, 1, mint.token())
    mint.trust_in(file)
    assert send(door, world, 1, mint.token())
    file.write_text("{not json")
    with pytest.raises(TokenNotAccepted):
        send(door, world, 2, mint.token())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda directory: directory["token-keys"].append(
            {**directory["token-keys"][0], "token-key": directory["token-keys"][1]["token-key"]}
        ),
        lambda directory: directory["token-keys"][0].update({"not-before": 86_400}),
        lambda directory: directory["token-keys"][0].update({"token-key": "AAAA"}),
        lambda directory: directory.pop("profession"),
        lambda directory: directory.update({"profession": "burglar"}),
        lambda directory: directory.update({"token-keys": 3}),
    ],
    ids=["two keys a week", "no Monday", "no key", "no profession", "unknown profession", "no list"],
)
def test_a_directory_that_could_tell_phones_apart_or_is_malformed_is_refused(
    spoil: Callable[[dict[str, object]], object],
) -> None:
    mint = Mint(date(2026, 11, 24))
    directory = mint.directory()
    assert len(read_directory(mint.url, directory).keys) == 4
    spoil(directory)
    with pytest.raises(DirectoryRefused):
        read_directory(mint.url, directory)
