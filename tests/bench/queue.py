"""The queue of one organisation among a million signals and among a tenth of them, and what a page costs."""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy.orm import Session

from privacy.keystore import Keystore, open_keystore
from privacy.sealing import open_json
from privacy.secret_files import load_master_key
from signals.casework.queue import QueuePage, queue_page
from signals.intake.content import SignalRow, case_context, open_summaries
from signals.vocabulary import ConcernType
from tests.bench.house import House, make_house
from tests.bench.results import Line
from tests.bench.seeding import Crowd, seal_for_real, seed_signals

PAGE = 25


def measure_queue(
    group: str, folder: Path, urls: Sequence[str], *, counts: tuple[int, int], far_page: int, rounds: int
) -> Iterator[Line]:
    """`urls`: two empty databases; `counts`: how many signals in each; `far_page`: which one by cursor."""
    houses = [_house(folder / str(number), url) for number, url in enumerate(urls)]
    keystore = open_keystore(
        houses[0].settings.keystore.url, load_master_key(houses[0].settings.keystore.master_key_file)
    )
    started = time.perf_counter()
    few, many = (seed_signals(house.engine(), count) for house, count in zip(houses, counts, strict=True))
    yield Line(
        group=group, what=f"seeding {sum(counts):,} signals", value=time.perf_counter() - started, unit="s"
    )
    seal_for_real(many, keystore, [signal.id for signal in _page(many, None).items])
    for label, number in (("first page", 1), (f"page {far_page}", far_page)):
        yield from _compared(group, label, few, many, number, rounds)
    yield from _page_against_opening(group, many, keystore, rounds)


def _house(folder: Path, url: str) -> House:
    return make_house(folder, database_url=url, keystore_url=f"sqlite:///{folder}/keystore.db")


def _compared(group: str, label: str, few: Crowd, many: Crowd, number: int, rounds: int) -> Iterator[Line]:
    places = {id(crowd): _cursor_of(crowd, number) for crowd in (few, many)}
    with Session(few.engine) as first, Session(many.engine) as second:
        small, large = _interleaved(
            rounds,
            lambda: _read(first, few, places[id(few)]),
            lambda: _read(second, many, places[id(many)]),
        )
    what = f"{label} of {PAGE}, {many.count:,} signals against {few.count:,}"
    yield Line(group=group, what=what, value=large / small, at_most=1.3)
    yield Line(group=group, what=f"{label}: query at {many.count:,}", value=large * 1e3, unit="ms")


def _page_against_opening(group: str, crowd: Crowd, keystore: Keystore, rounds: int) -> Iterator[Line]:
    signals = _page(crowd, None).items
    keys = keystore.case_keys([signal.case_key_id for signal in signals])
    with Session(crowd.engine) as session:
        whole, opening, bare = _interleaved(
            rounds,
            lambda: open_summaries(keystore, _read(session, crowd, None).items),
            lambda: open_summaries(keystore, signals),
            lambda: [_open_bare(signal, keys) for signal in signals],
        )
    about = "whole page (query, keys, opening) against bare"
    yield Line(group=group, what=f"{about} opening, keys at hand", value=whole / bare)
    yield Line(
        group=group, what=f"{about} opening, keys fetched and unwrapped", value=whole / opening, at_most=2.5
    )
    for label, seconds in (("whole page", whole), ("keys and opening", opening), ("bare opening", bare)):
        yield Line(group=group, what=f"{label} of {PAGE}", value=seconds * 1e3, unit="ms")


def _open_bare(signal: SignalRow, keys: dict[Any, bytes]) -> tuple[ConcernType, ...]:
    plain = open_json(signal.summary, keys[signal.case_key_id], case_context(signal), purpose="summary")
    return tuple(ConcernType(code) for code in plain["types"])


def _page(crowd: Crowd, cursor: str | None) -> QueuePage:
    with Session(crowd.engine) as session:
        return _read(session, crowd, cursor)


def _read(session: Session, crowd: Crowd, cursor: str | None) -> QueuePage:
    page = queue_page(session, organisation_id=crowd.organisation_id, limit=PAGE, cursor=cursor)
    session.commit()  # as at the end of a request (`reading_session`)
    return page


def _cursor_of(crowd: Crowd, number: int) -> str | None:
    cursor = None
    for _ in range(number - 1):
        cursor = _page(crowd, cursor).next_cursor
        if cursor is None:
            raise ValueError(f"the organisation has fewer than {number} pages")
    return cursor


def _interleaved(rounds: int, *actions: Callable[[], object]) -> list[float]:
    """The median of seconds of each action, taken in turns after a few that do not count."""
    seen: list[list[float]] = [[] for _ in actions]
    gc.disable()
    try:
        for number in range(-5, rounds):
            for action, times in zip(actions, seen, strict=True):
                started = time.perf_counter()
                action()
                if number >= 0:
                    times.append(time.perf_counter() - started)
    finally:
        gc.enable()
    return [median(times) for times in seen]
