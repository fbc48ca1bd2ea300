"""Store releases with chosen numbers for tests of pages; nothing counts here."""

from collections.abc import Callable, Iterable
from datetime import date
from json import dumps
from uuid import UUID

from sqlalchemy import Engine

from signals.db import session_factory
from signals.models import OrganisationYear, Publication
from signals.statistics.menu import NO, UNKNOWN, YES, Codes, Table, kind_of, tables_of
from signals.vocabulary import AttemptKind

Count = Callable[[Table, Codes], int]
DRAWN_ON = date(2026, 2, 5)


def publish(engine: Engine, periods: Iterable[str], count: Count) -> None:
    """Store every table of the menu for these periods; `count` gives the drawn number of each cell."""
    with session_factory(engine).begin() as session:
        for period in periods:
            for table in tables_of(kind_of(period)):
                content = {
                    "dimensions": {one.name: list(one.codes) for one in table.dimensions},
                    "sensitivity": table.sensitivity,
                    "cells": [[*codes, count(table, codes)] for codes in table.cells],
                }
                session.add(
                    Publication(
                        period=period,
                        code=table.code,
                        epsilon=str(float(table.epsilon)),
                        drawn_on=DRAWN_ON,
                        content=dumps(content),
                        signature=bytes(64),
                    )
                )


def store_own_year(engine: Engine, organisation_id: UUID, year: str) -> None:
    """Store the totals of an organisation that reached four of nine."""
    with session_factory(engine).begin() as session:
        session.add(
            OrganisationYear(
                organisation_id=organisation_id,
                year=year,
                received=10,
                concluded=9,
                in_time=8,
                reached=4,
                outcomes=dumps({"talk_sufficed": 4, "not_reached_tried_enough": 5}),
            )
        )


def year_of(size: int, *, letters: float = 0.05, twente: float = 0.2) -> Count:
    """Return the counts of a year: all but a letter reach one in five, and all regions but Twente do."""

    def count(table: Table, codes: Codes) -> int:
        match table.code, codes:
            case "attempts", (attempt, kind, contact):
                tried = size * _KINDS[kind] * 0.75 ** (int(attempt) - 1)
                return _part(tried, letters if kind == "letter" else 0.2, contact)
            case "regions", (region, reached):
                here = 0 if region == UNKNOWN else size / 25
                return _part(here, twente if region == "GG1106" else 0.2, reached)
            case "outcomes", (outcome,):
                return round(size * (0.5 if outcome == "not_reached_tried_enough" else 0.03))
            case "course", (flag, answer):
                return _part(size * (0.2 if flag == "newly_known" else 1), 0.4, answer)
        return round(size / 4)

    return count


_KINDS = dict(zip(AttemptKind, (0.45, 0.15, 0.2, 0.15, 0.05), strict=True))


def _part(whole: float, share: float, answer: str) -> int:
    return round(whole * {YES: share, NO: 1 - share}[answer])
