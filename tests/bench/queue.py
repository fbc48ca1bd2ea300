"""The queue of one organisation among a million signals and among a tenth of them, and what a page costs."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from privacy.keystore import Keystore
from privacy.sealing import open_json
from signals.casework.queue import QueuePage, queue_page
from signals.intake.content import SignalRow, case_context, open_summaries
from signals.vocabulary import ConcernType
from tests.bench.house import make_house
from tests.bench.results import Line, interleaved
from tests.bench.seeding import Crowd, seal_for_real, seed_signals

PAGE = 25


def measure_queue(
    group: str,
    folder: Path,
    urls: Sequence[str | None],
    *,
    counts: tuple[int, int],
    far_page: int,
    rounds: int,
) -> Iterator[Line]:
    """`urls`: two empty databases; `counts`: how many signals in each; `far_page`: which one by cursor."""
    houses = [make_house(folder / str(number), url) for number, url in enumerate(urls)]
    keystore = houses[0].keystore()
    started = time.perf_counter()
    few, many = (seed_signals(house.engine(), count) for house, count in zip(houses, counts, strict=True))
    yield Line(group, f"seeding {sum(counts):,} signals", time.perf_counter() - started, "s")
    seal_for_real(many, keystore, [signal.id for signal in _page(many, None).items])
    for label, number in (("first page", 1), (f"page {far_page}", far_page)):
        yield from _compared(group, label, few, many, number, rounds)
    yield from _page_against_opening(group, many, keystore, rounds)


def _compared(group: str, label: str, few: Crowd, many: Crowd, number: int, rounds: int) -> Iterator[Line]:
    places = {id(crowd): _cursor_of(crowd, number) for crowd in (few, many)}
    with Session(few.engine) as first, Session(many.engine) as second:
        small, large = interleaved(
            rounds,
            lambda: _read(first, few, places[id(few)]),
            lambda: _read(second, many, places[id(many)]),
            clock=time.perf_counter,
        )
    what = f"{label} of {PAGE}, {many.count:,} signals against {few.count:,}"
    yield Line(group, what, large / small, at_most=1.3)
    yield Line(group, f"{label}: query at {many.count:,}", large * 1e3, "ms")


def _page_against_opening(group: str, crowd: Crowd, keystore: Keystore, rounds: int) -> Iterator[Line]:
    signals = _page(crowd, None).items
    keys = keystore.summary_keys([signal.case_key_id for signal in signals])
    with Session(crowd.engine) as session:
        whole, opening, bare = interleaved(
            rounds,
            lambda: open_summaries(keystore, _read(session, crowd, None).items),
            lambda: open_summaries(keystore, signals),
            lambda: [_open_bare(signal, keys) for signal in signals],
            clock=time.perf_counter,
        )
    about = "whole page (query, keys, opening) against bare"
    yield Line(group, f"{about} opening, keys at hand", whole / bare)
    yield Line(group, f"{about} opening, keys fetched and unwrapped", whole / opening, at_most=2.5)
    for label, seconds in (("whole page", whole), ("keys and opening", opening), ("bare opening", bare)):
        yield Line(group, f"{label} of {PAGE}", seconds * 1e3, "ms")


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
