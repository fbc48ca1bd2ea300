"""The compiled table agrees with a slow and obvious reading of the routing rules."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.sealing import week_start
from signals import reference
from signals.reference import BoundaryChange, Geography, Municipality, Pc4Run
from signals.routing.day_table import Route
from signals.routing.phone_rules import PhoneRoutes, phone_routes
from signals.routing.rows import CoverageLevel, CoverageRow, OrganisationFacts
from signals.routing.snapshot import RoutingSnapshot, SealingKey
from signals.routing.table import RoutingTable
from signals.vocabulary import OrganisationKind

DESK = OrganisationFacts(
    id=UUID(int=99), name="Landelijk", kind=OrganisationKind.NATIONAL, receives_from=date(2020, 1, 1)
)

# A country of four postcodes, small enough that rows often meet.
PC4S = ("1000", "1001", "1002", "1003")
PC6S = tuple(pc4 + letters for pc4 in PC4S for letters in ("AA", "AB"))
DATES = (date(2026, 9, 1), date(2026, 10, 1), date(2026, 12, 1), date(2027, 1, 1), date(2027, 2, 1))
NUMBERS = (1, 2, 3, 4, 5, 99999)
CODES = ("GM0001", "GM0002", "GM0003")


def _municipality(code: str, ggd_code: str) -> Municipality:
    return Municipality(
        code=code, name=f"name of {code}", ggd_code=ggd_code, province_code="PV20", inhabitants=1
    )


COUNTRY = Geography(
    municipalities={
        "GM0001": _municipality("GM0001", "GG0001"),
        "GM0002": _municipality("GM0002", "GG0002"),
        "GM0003": _municipality("GM0003", "GG0001"),
    },
    pc4_runs=(Pc4Run(1000, 1000, "GM0001"), Pc4Run(1001, 1001, "GM0002"), Pc4Run(1002, 1002, "GM0003")),
    boundary_changes=(
        BoundaryChange(
            effective_date=date(2027, 1, 1),
            old_code="GM0003",
            old_name="name of GM0003",
            new_code="GM0002",
            new_name="name of GM0002",
            kind=reference.ABSORBED,
            planned=True,
        ),
    ),
    state_of=date(2026, 1, 1),
)

AREAS = {
    CoverageLevel.PC6_RANGE: PC6S,
    CoverageLevel.PC6: PC6S,
    CoverageLevel.PC4: PC4S,
    CoverageLevel.MUNICIPALITY: CODES,
    CoverageLevel.GGD_REGION: ("GG0001", "GG0002"),
    CoverageLevel.NATIONAL: ("NL",),
}


@st.composite
def rows(draw: st.DrawFn) -> CoverageRow:
    """Any row of the small country, dead ones included."""
    level = draw(st.sampled_from(CoverageLevel))
    ranged = level is CoverageLevel.PC6_RANGE
    return CoverageRow(
        organisation_id=UUID(int=draw(st.integers(0, 5))),
        level=level,
        area=draw(st.sampled_from(AREAS[level])),
        number_from=draw(st.none() | st.integers(1, 5)) if ranged else None,
        number_to=draw(st.none() | st.integers(1, 5)) if ranged else None,
        valid_from=draw(st.sampled_from(DATES)),
        valid_until=draw(st.none() | st.sampled_from(DATES)),
    )


@st.composite
def organisations(draw: st.DrawFn) -> list[OrganisationFacts]:
    """Five that may or may not be onboarded, and the desk; rows of a sixth belong to nobody."""
    return [
        OrganisationFacts(
            id=UUID(int=number),
            name=f"organisation {number}",
            kind=OrganisationKind.SOCIAL_WORK,
            receives_from=draw(st.none() | st.sampled_from(DATES)),
            receives_until=draw(st.none() | st.sampled_from(DATES)),
        )
        for number in range(5)
    ] + [DESK]


@pytest.mark.slow
@given(
    st.lists(rows(), max_size=25),
    organisations(),
    st.dictionaries(st.sampled_from(PC6S), st.sampled_from(CODES), max_size=3),
    st.dictionaries(st.sampled_from(PC6S), st.sampled_from(CODES), max_size=3),
)
@settings(max_examples=150, deadline=None)
def test_the_table_agrees_with_a_plain_reading(
    coverage: list[CoverageRow],
    known: list[OrganisationFacts],
    exact: dict[str, str],
    second_and_third: dict[str, str],
) -> None:
    ranges = [(pc6, 2, 3, code) for pc6, code in second_and_third.items()]
    table = RoutingTable.build(
        coverage, known, geography=COUNTRY, pc6_municipalities=exact, pc6_ranges=ranges
    )
    reading = PlainReading(coverage, known, exact, second_and_third)
    for on in DATES:
        for postcode in (*PC6S, "1000ZZ"):
            for number in NUMBERS:
                assert table.route(postcode, number, on) == reading.route(postcode, number, on)


@given(st.lists(rows(), max_size=25), organisations())
@settings(deadline=None)
def test_without_a_number_the_answer_is_that_of_the_postcode_or_of_all_its_numbers(
    coverage: list[CoverageRow], known: list[OrganisationFacts]
) -> None:
    table = RoutingTable.build(coverage, known, geography=COUNTRY)
    unranged = [row for row in coverage if row.level is not CoverageLevel.PC6_RANGE]
    plain = RoutingTable.build(unranged, known, geography=COUNTRY)
    for on in DATES:
        for postcode in PC6S:
            receivers = {table.route(postcode, number, on).organisation_id for number in NUMBERS}
            found = table.route(postcode, None, on).organisation_id
            assert found == plain.route(postcode, None, on).organisation_id or receivers == {found}


@given(
    st.lists(rows(), max_size=25),
    organisations(),
    st.dictionaries(st.sampled_from(PC6S), st.sampled_from(CODES)),
)
@settings(deadline=None)
def test_a_phone_with_the_rules_of_four_digits_finds_the_receiver_of_the_table(
    coverage: list[CoverageRow], known: list[OrganisationFacts], exact: dict[str, str]
) -> None:
    ranges = [(pc6, 2, 3, "GM0002") for pc6 in exact]
    table = RoutingTable.build(
        coverage, known, geography=COUNTRY, pc6_municipalities=exact, pc6_ranges=ranges
    )
    facts = {one.id: one for one in known}
    for on in DATES:
        keys = {
            (each, week_start(on)): SealingKey(
                key_id=each, organisation_id=each, week=week_start(on), public_key=b"", signature=b""
            )
            for each in facts
        }
        snapshot = RoutingSnapshot(1, table, facts, keys)
        for postcode in (*PC6S, "1000ZZ"):
            found = phone_routes(snapshot, postcode[:4], on)
            for number in NUMBERS:
                assert _by_phone(found, postcode, number) == table.route(postcode, number, on).organisation_id


def _by_phone(found: PhoneRoutes, postcode: str, number: int) -> UUID:
    """The receiver of the first rule that fits."""
    return next(
        rule.organisation_id
        for rule in found.rules
        if rule.postcode in (None, postcode) and (rule.first or 1) <= number <= (rule.last or 99999)
    )


@pytest.mark.slow
@given(st.lists(rows(), max_size=25), organisations(), st.text(max_size=8), st.none() | st.integers())
@settings(deadline=None)
def test_somebody_who_receives_is_always_found(
    coverage: list[CoverageRow], known: list[OrganisationFacts], postcode: str, number: int | None
) -> None:
    route = RoutingTable.build(coverage, known, geography=COUNTRY).route(postcode, number, DATES[0])
    receivers = {organisation.id for organisation in known if organisation.receives(DATES[0])}
    assert route.organisation_id in receivers


@pytest.mark.slow
@given(st.permutations(range(12)), st.lists(rows(), min_size=12, max_size=12), organisations())
@settings(deadline=None)
def test_the_order_of_rows_never_matters(
    order: list[int], coverage: list[CoverageRow], known: list[OrganisationFacts]
) -> None:
    one = RoutingTable.build(coverage, known, geography=COUNTRY)
    other = RoutingTable.build([coverage[place] for place in order], known[::-1], geography=COUNTRY)
    for on in DATES:
        for postcode in PC6S:
            assert one.route(postcode, 2, on) == other.route(postcode, 2, on)


@pytest.mark.slow
@given(st.lists(rows(), max_size=25), organisations())
@settings(deadline=None)
def test_an_organisation_that_stops_receiving_leaves_its_signals_to_the_next_level(
    coverage: list[CoverageRow], known: list[OrganisationFacts]
) -> None:
    stopped = [facts if facts.id.int else replace(facts, receives_from=None) for facts in known]
    without = [row for row in coverage if row.organisation_id.int]
    one = RoutingTable.build(coverage, stopped, geography=COUNTRY)
    other = RoutingTable.build(without, known, geography=COUNTRY)
    for on in DATES:
        for postcode in PC6S:
            assert one.route(postcode, 3, on) == other.route(postcode, 3, on)


class PlainReading:
    """One scan over all rows for each question, level by level, as the design page words it."""

    def __init__(
        self,
        coverage: list[CoverageRow],
        known: list[OrganisationFacts],
        exact: dict[str, str],
        second_and_third: dict[str, str],
    ) -> None:
        self.coverage = coverage
        self.known = {organisation.id: organisation for organisation in known}
        self.exact = exact
        self.second_and_third = second_and_third

    def route(self, postcode: str, number: int, on: date) -> Route:
        code = self.municipality(postcode, number, on)
        region = None if code is None else COUNTRY.municipalities[code].ggd_code
        areas = (postcode, postcode, postcode[:4], code, region, "NL")
        for level, area in zip(CoverageLevel, areas, strict=True):
            matching = [row for row in self.coverage if self.matches(row, level, area, number, on)]
            if matching:
                return self.answer(self.best(matching), level, code)
        return self.answer(DESK.id, CoverageLevel.NATIONAL, code)

    def municipality(self, postcode: str, number: int, on: date) -> str | None:
        code = {"1000": "GM0001", "1001": "GM0002", "1002": "GM0003"}.get(postcode[:4])
        code = self.exact.get(postcode, code)
        if number in (2, 3):
            code = self.second_and_third.get(postcode, code)
        return "GM0002" if code == "GM0003" and on >= date(2027, 1, 1) else code

    def matches(
        self, row: CoverageRow, level: CoverageLevel, area: str | None, number: int, on: date
    ) -> bool:
        organisation = self.known.get(row.organisation_id)
        if organisation is None or organisation.receives_from is None:
            return False
        return (
            row.level == level
            and row.area == area
            and (row.number_from or 0) <= number <= (row.number_to or 10**6)
            and row.valid_from <= on < (row.valid_until or date.max)
            and organisation.receives_from <= on < (organisation.receives_until or date.max)
        )

    def best(self, matching: list[CoverageRow]) -> UUID:
        def width(row: CoverageRow) -> int:
            return (row.number_to or 99999) - (row.number_from or 1)

        narrowest = min(width(row) for row in matching)
        narrow = [row for row in matching if width(row) == narrowest]
        latest = max(row.valid_from for row in narrow)
        return min(row.organisation_id for row in narrow if row.valid_from == latest)

    def answer(self, organisation_id: UUID, level: CoverageLevel, code: str | None) -> Route:
        organisation = self.known[organisation_id]
        return Route(
            organisation_id=organisation_id,
            name=organisation.name,
            kind=organisation.kind,
            municipality_code=code,
            municipality_name=None if code is None else f"name of {code}",
            level=level,
            covered=level != CoverageLevel.NATIONAL,
        )
