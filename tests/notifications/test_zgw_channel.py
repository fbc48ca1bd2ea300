"""The client of a case system: each step asks before it creates, so nothing is made twice."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest

from notifications.breaker import is_about_provider
from notifications.channels.zgw import CaseSystem, Filing, file_case
from notifications.guarded_http import GuardedHttp
from notifications.retry import DeliveryFailure, PermanentFailure, TemporaryFailure, Throttled
from signals.clock import FixedClock
from tests.notifications.building import NOON
from tests.support.prism import ZGW, mock_server
from tests.support.zgw_peer import DOCUMENTS, HOST, RELATIONS, SECRET, ZAKEN, Peer, case_system

FILING = Filing(
    zaak="SIGNAAL-K7P4-QX2M",
    document="SIGNAAL-K7P4-QX2M-20261124120000",
    title="Overdracht van signaal K7P4-QX2M",
    author="Deurpost",
    on=date(2026, 11, 24),
)


@pytest.fixture
def peer() -> Iterator[Peer]:
    with case_system() as peer:
        yield peer


def system(peer: Peer, *, seconds: float = 10.0, secret: str = SECRET) -> CaseSystem:
    http = GuardedHttp(private_hosts=frozenset({HOST}), plain=True, seconds=seconds)
    return CaseSystem(**peer.settings, secret=secret, http=http, clock=FixedClock(NOON))


def content() -> bytes:
    return b"%PDF-1.7 een overdracht"


def unasked() -> bytes:
    raise AssertionError("the content must stay closed")


def test_a_zaak_a_document_and_their_relation_are_made(peer: Peer) -> None:
    zaak = file_case(system(peer), FILING, content)
    assert (zaak, peer.numbers()) == (peer.things[ZAKEN][0]["url"], (1, 1, 1))
    assert peer.things[ZAKEN][0]["identificatie"] == "SIGNAAL-K7P4-QX2M"
    assert peer.pdf() == content()
    [relation] = peer.things[RELATIONS]
    assert (relation["zaak"], relation["informatieobject"]) == (zaak, peer.things[DOCUMENTS][0]["url"])


def test_it_asks_before_each_creation(peer: Peer) -> None:
    file_case(system(peer), FILING, content)
    asked = [("GET", DOCUMENTS), *((verb, path) for path in (ZAKEN,) for verb in ("GET", "POST"))]
    rest = [(verb, path) for path in (DOCUMENTS, RELATIONS) for verb in ("GET", "POST")]
    assert peer.asked == [*asked, *rest]


def test_a_repeat_makes_nothing_and_leaves_the_content_closed(peer: Peer) -> None:
    first = file_case(system(peer), FILING, content)
    assert file_case(system(peer), FILING, unasked) == first
    assert peer.numbers() == (1, 1, 1)


def test_a_second_conclusion_adds_a_document_to_the_same_zaak(peer: Peer) -> None:
    first = file_case(system(peer), FILING, content)
    again = replace(FILING, document="SIGNAAL-K7P4-QX2M-20261201120000")
    assert file_case(system(peer), again, content) == first
    assert peer.numbers() == (1, 2, 2)


@pytest.mark.parametrize(("path", "half"), [(DOCUMENTS, (1, 0, 0)), (RELATIONS, (1, 1, 0))])
def test_what_is_half_done_is_completed(peer: Peer, path: str, half: tuple[int, int, int]) -> None:
    def refuse(asked: str) -> None:
        if asked == path:
            peer.answers.append((500, {}))

    peer.before = refuse
    with pytest.raises(TemporaryFailure, match="zgw_500"):
        file_case(system(peer), FILING, content)
    assert peer.numbers() == half
    peer.before = lambda _path: None
    file_case(system(peer), FILING, content)
    assert peer.numbers() == (1, 1, 1)


@pytest.mark.parametrize("path", [ZAKEN, DOCUMENTS, RELATIONS])
def test_an_answer_that_gets_lost_makes_nothing_twice(peer: Peer, path: str) -> None:
    def lose(made: str) -> None:
        if made == path:
            peer.answers.append((0, {}))

    peer.after = lose
    with pytest.raises(TemporaryFailure, match="https_no_answer"):
        file_case(system(peer), FILING, content)
    peer.after = lambda _path: None
    file_case(system(peer), FILING, content)
    assert peer.numbers() == (1, 1, 1)


def test_a_slow_answer_is_cut_off_and_the_next_try_finds_the_zaak(peer: Peer) -> None:
    peer.after = lambda _path: peer.released.wait(60) and None
    with pytest.raises(TemporaryFailure, match="https_no_answer"):
        file_case(system(peer, seconds=0.5), FILING, content)
    peer.after = lambda _path: None
    peer.released.set()
    file_case(system(peer), FILING, content)
    assert peer.numbers() == (1, 1, 1)


def test_two_workers_that_both_asked_make_one_zaak(peer: Peer) -> None:
    both_asked = threading.Barrier(2)
    peer.before = lambda path: both_asked.wait(60) and None if path == ZAKEN else None
    with ThreadPoolExecutor(2) as pool:
        tries = [pool.submit(file_case, system(peer), FILING, content) for _ in range(2)]
        assert len({one.result(60) for one in tries}) == 1
    assert peer.numbers() == (1, 1, 1)


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (400, PermanentFailure),
        (404, PermanentFailure),
        (401, TemporaryFailure),
        (302, TemporaryFailure),
        (502, TemporaryFailure),
        (429, Throttled),
    ],
)
def test_a_refusal_is_classified_and_stops_no_other_organisation(
    peer: Peer, status: int, failure: type[DeliveryFailure]
) -> None:
    peer.answers.append((status, {}))
    with pytest.raises(failure, match=f"zgw_{status}") as refused:
        file_case(system(peer), FILING, unasked)
    assert not is_about_provider(refused.value)


def test_a_wrong_secret_is_refused_before_the_content_opens(peer: Peer) -> None:
    with pytest.raises(TemporaryFailure, match="zgw_403"):
        file_case(system(peer, secret="een-ander-geheim-van-minstens-32-tekens"), FILING, unasked)
    assert peer.numbers() == (0, 0, 0)


@pytest.mark.parametrize("body", [{"results": [{}]}, {"results": 3}, {}])
def test_an_answer_that_makes_no_sense_is_a_failure(peer: Peer, body: dict[str, object]) -> None:
    peer.answers.append((200, body))
    with pytest.raises(TemporaryFailure, match="zgw_answer"):
        file_case(system(peer), FILING, unasked)


@pytest.mark.slow
def test_the_requests_match_their_description() -> None:
    with mock_server(ZGW) as address:
        mocked = Peer(port=int(address.rpartition(":")[2]))
        assert file_case(system(mocked), FILING, content) == "https://zaken.example.org/zaken/api/v1/zaken/1"
        with pytest.raises(DeliveryFailure, match="zgw_422"):
            file_case(replace(system(mocked), rsin="geen nummer"), FILING, content)
