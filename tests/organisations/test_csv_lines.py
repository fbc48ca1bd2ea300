"""Lines and headers of a file of organisations that are read or rejected."""

import pytest
from sqlalchemy.orm import Session

from tests.support.csv_lines import FULL, SHORT, TEAM, reasons, take, team


def test_an_open_quotation_mark_is_rejected_with_its_line(session: Session) -> None:
    line = "Zuid,social_work,pc4,1071,2026-01-01\n"
    text = (
        SHORT + line + '"' + "".join(f"Team {one},social_work,pc4,1072,2026-01-01\n" for one in range(5000))
    )
    assert reasons(session, text) == [(3, "", "quote_not_closed")]


def test_semicolons_do_as_well(session: Session) -> None:
    take(session, (FULL + TEAM).replace(",", ";"))
    assert team(session).legal_basis == "Wmo"


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        (",social_work,pc4,1071,2026-01-01", "name", "required"),
        (f"{'x' * 121},social_work,pc4,1071,2026-01-01", "name", "too_long"),
        ("A,hospital,pc4,1071,2026-01-01", "kind", "unknown"),
        ("A,social_work,street,1071,2026-01-01", "level", "unknown"),
        ("A,social_work,pc4,0071,2026-01-01", "area", "unknown"),
        ("A,social_work,pc4,107,2026-01-01", "area", "unknown"),
        ("A,social_work,pc6,1071SS,2026-01-01", "area", "unknown"),
        ("A,social_work,municipality,GM9999,2026-01-01", "area", "unknown"),
        ("A,ggd,ggd_region,GG0000,2026-01-01", "area", "unknown"),
        ("A,national,national,BE,2026-01-01", "area", "unknown"),
        ("A,social_work,pc6_range,1071AB,2026-01-01", "area", "unknown"),
        ("A,social_work,pc6_range,1071AB 9-1,2026-01-01", "area", "house_numbers"),
        ("A,social_work,pc6_range,1071AB 0-9,2026-01-01", "area", "house_numbers"),
        ("A,social_work,pc4,1071,1 jan 2026", "valid_from", "not_a_date"),
        ("A,social_work,pc4,1071,2026-02-30", "valid_from", "not_a_date"),
        ("A,social_work,pc4,1071,1999-12-31", "valid_from", "too_early"),
        ("A,social_work,pc4,1071", "", "number_of_cells"),
        ("A,social_work,pc4,1071,2026-01-01,more", "", "number_of_cells"),
    ],
)
def test_a_line_is_rejected_with_its_reason(session: Session, line: str, column: str, reason: str) -> None:
    assert reasons(session, f"{SHORT}B,social_work,pc4,1072,2026-01-01\n{line}\n") == [(3, column, reason)]


def test_lines_of_one_organisation_may_not_contradict_each_other(session: Session) -> None:
    text = FULL + TEAM + TEAM.replace("GM0363", "GM0344").replace("Wmo", "Jeugdwet")
    result = take(session, text)
    assert [(one.line, one.column, one.reason) for one in result.rejected] == [
        (3, "legal_basis", "contradicts_an_earlier_line")
    ]


def test_an_address_that_is_none_is_rejected_without_repeating_it(session: Session) -> None:
    text = FULL + TEAM.replace("b@example.org", "b at example.org")
    result = take(session, text)
    assert [(one.column, one.reason) for one in result.rejected] == [("recipient_2", "invalid")]
    assert "b at example.org" not in repr(result)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("name,kind,level,area\n", (1, "valid_from", "missing")),
        (SHORT.replace("\n", ",colour\n"), (1, "", "unknown_column")),
        (SHORT.replace("\n", ",name\n"), (1, "", "column_twice")),
        (SHORT, (1, "", "no_lines")),
        ("", (1, "name", "missing")),
    ],
)
def test_a_header_is_rejected(session: Session, header: str, expected: tuple[int, str, str]) -> None:
    assert reasons(session, header)[0] == expected
