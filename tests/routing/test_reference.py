"""The shipped routing facts are complete and agree with one another."""

from datetime import date
from itertools import pairwise

import pytest

from signals import reference


def test_there_are_342_municipalities_25_regions_and_12_provinces() -> None:
    counts = (len(reference.municipalities()), len(reference.ggd_regions()), len(reference.provinces()))
    assert counts == (342, 25, 12)


def test_every_municipality_lies_in_a_known_region_and_province() -> None:
    found = reference.municipalities().values()
    assert {municipality.ggd_code for municipality in found} == set(reference.ggd_regions())
    assert {municipality.province_code for municipality in found} == set(reference.provinces())


def test_every_municipality_has_a_run_and_every_run_a_municipality() -> None:
    assert {run.municipality_code for run in reference.pc4_runs()} == set(reference.municipalities())


def test_runs_ascend_without_overlap() -> None:
    runs = reference.pc4_runs()
    assert len(runs) == 706
    assert all(run.first <= run.last for run in runs)
    assert all(one.last < two.first for one, two in pairwise(runs))


@pytest.mark.parametrize(
    ("pc4", "code"),
    [
        (1012, "GM0363"),
        (9711, "GM0014"),
        (3221, "GM1992"),
        (1382, "GM0363"),
        (5431, "GM1982"),
        (1703, "GM1980"),
        (1011, "GM0363"),
        (1109, "GM0363"),
        (1000, None),
        (1110, None),
        (0, None),
        (10000, None),
    ],
)
def test_a_postcode_lies_in_the_municipality_that_holds_it(pc4: int, code: str | None) -> None:
    assert reference.municipality_of_pc4(pc4) == code


def test_twenty_postcodes_straddle_two_municipalities_and_the_runs_give_the_main_one() -> None:
    main = {entry.pc4: entry.municipality_code for entry in reference.straddling() if entry.is_main}
    assert len(main) == 20
    assert len(reference.straddling()) == 40
    assert {pc4: reference.municipality_of_pc4(pc4) for pc4 in main} == main


def test_ended_municipalities_are_not_in_the_list_and_planned_ones_still_are() -> None:
    changes = reference.boundary_changes()
    assert len(changes) == 22
    known = reference.municipalities()
    assert all((change.old_code in known) is change.planned for change in changes)
    assert all(change.new_code in known for change in changes)


def test_one_change_is_planned_after_the_state_of_the_facts() -> None:
    later = [change for change in reference.boundary_changes() if change.effective_date > reference.STATE_OF]
    assert [(change.effective_date, change.old_code, change.new_code) for change in later] == [
        (date(2027, 1, 1), "GM1696", "GM0402")
    ]
