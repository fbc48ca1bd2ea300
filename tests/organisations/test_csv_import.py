"""A CSV file of organisations is imported whole, or rejected with every reason."""

import io
import sys
from datetime import date
from types import FrameType

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from signals.models import AuditEntry, CoverageArea, Organisation, RoutingVersion, StaffMember
from signals.organisations.csv_import import ChangeKind, OrganisationImport, preview_organisations, with_named
from signals.vocabulary import AuditAction, OrganisationKind, Role
from tests.factories import RecipientFactory
from tests.support.csv_lines import CLOCK, FULL, SHORT, TEAM, reasons, take, team

VERIFIED = date(2026, 11, 2)


def take_live(session: Session) -> Organisation:
    """Take the team on; its recipients have pressed their links, and it has answered a test message."""
    take(session, FULL + TEAM)
    found = team(session)
    found.proved_on = VERIFIED
    for recipient in found.recipients:
        recipient.verified_on = VERIFIED
    session.flush()
    return found


def kinds(result: OrganisationImport) -> list[ChangeKind]:
    return [change.kind for change in result.changes]


def areas(session: Session) -> list[tuple[str, str, int | None, int | None]]:
    rows = session.scalars(select(CoverageArea).order_by(CoverageArea.level, CoverageArea.area))
    return [(row.level, row.area, row.number_from, row.number_to) for row in rows]


def test_a_complete_line_takes_an_organisation_on(session: Session) -> None:
    assert kinds(take(session, FULL + TEAM)) == [
        ChangeKind.ORGANISATION_ADDED,
        ChangeKind.AREA_ADDED,
        ChangeKind.STILL_NOT_ONBOARDED,
    ]
    assert team(session).kind is OrganisationKind.SOCIAL_WORK
    assert not team(session).is_example


def test_a_look_tells_what_would_be_done_and_writes_nothing(session: Session) -> None:
    third = RecipientFactory.build(position=3, address="d@example.org", verified_on=VERIFIED)
    take_live(session).recipients.append(third)
    session.commit()
    text = (
        FULL
        + TEAM.replace("b@example.org", "c@example.org")
        + TEAM.replace("Zuid", "Noord").replace("GM0363", "GM0344")
    )
    asked = statements(session)
    seen = preview_organisations(session, CLOCK, file=io.StringIO(text))
    assert {one.split()[0] for one in asked} == {"BEGIN", "SELECT"}
    session.rollback()
    assert take(session, text) == seen
    assert kinds(seen) == [
        ChangeKind.ORGANISATION_CHANGED,
        ChangeKind.ORGANISATION_ADDED,
        ChangeKind.AREA_ADDED,
        ChangeKind.STILL_NOT_ONBOARDED,
    ]


def statements(session: Session) -> list[str]:
    """Return a list that collects the statements from now on."""
    asked: list[str] = []

    def heard(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(session.get_bind(), "before_cursor_execute", heard)
    return asked


def many(count: int, *, teams: int) -> str:
    """Return lines of organisations, each with an area of its own."""
    letters = "ABCDEGHJKL"
    lines = (
        f"Team {one},social_work,pc6,{1100 + one // 10}A{letters[one % 10]},2026-01-01\n"
        for one in range(count)
    )
    return SHORT + "".join(lines)


def test_the_work_grows_as_the_file_does_and_not_as_its_square(session: Session) -> None:
    def calls(text: str) -> int:
        counted = 0

        def count(_frame: FrameType, happened: str, _what: object) -> None:
            nonlocal counted
            counted += happened == "call"

        sys.setprofile(count)
        try:
            assert take(session, text).rejected == ()
        finally:
            sys.setprofile(None)
            session.rollback()
        return counted

    calls(many(1, teams=1))  # what is read once
    assert calls(many(640, teams=1)) < 5 * calls(many(160, teams=1))


def test_several_lines_give_one_organisation_several_areas(session: Session) -> None:
    take(
        session,
        SHORT
        + "Team Zuid,social_work,pc4,1071,2026-01-01\n"
        + "Team Zuid,social_work,pc6,1072 ab,2026-01-01\n"
        + "Team Zuid,social_work,pc6_range,1073AB 1-99,2026-01-01\n",
    )
    assert areas(session) == [
        ("pc4", "1071", None, None),
        ("pc6", "1072AB", None, None),
        ("pc6_range", "1073AB", 1, 99),
    ]


def test_the_same_file_again_changes_nothing(session: Session) -> None:
    take(session, FULL + TEAM)
    assert kinds(take(session, FULL + TEAM)) == [ChangeKind.UNCHANGED]
    assert len(session.scalars(select(AuditEntry)).all()) == 1


def test_a_changed_field_is_named_and_an_empty_one_changes_nothing(session: Session) -> None:
    take_live(session)
    result = take(session, FULL + "Team Zuid,social_work,municipality,GM0363,2026-01-01,,Jeugdwet,,,\n")
    assert [(change.kind, change.detail) for change in result.changes] == [
        (ChangeKind.ORGANISATION_CHANGED, "legal_basis")
    ]
    assert (team(session).legal_basis, team(session).retention_basis) == ("Jeugdwet", "Lijst")


def test_a_new_recipient_must_be_verified_again_and_the_old_one_need_not(session: Session) -> None:
    third = RecipientFactory.build(position=3, address="d@example.org", verified_on=VERIFIED)
    take_live(session).recipients.append(third)
    take(session, FULL + TEAM.replace("b@example.org", "c@example.org"))
    assert {r.address: r.verified_on for r in team(session).recipients} == {
        "a@example.org": VERIFIED,
        "c@example.org": None,
        "d@example.org": VERIFIED,
    }


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("b@example.org", "c@example.org", ("recipient_2", "stops_unverified")),
        ("2026-01-01,Wmo", "2027-01-01,Wmo", ("", "stops_receiving")),
    ],
    ids=["an address that nobody confirmed", "an agreement of later"],
)
def test_no_team_that_receives_stops_to_by_a_file(
    session: Session, before: str, after: str, told: tuple[str, str]
) -> None:
    take_live(session)
    result = take(session, FULL + TEAM.replace(before, after))
    assert [(one.column, one.reason) for one in result.rejected] == [told]


@pytest.mark.parametrize("name", ["TEAM zuid", "Team  Zuid", " Team Zuid ", "Team\u00a0 Zuid"])
def test_an_organisation_is_found_by_its_name_in_any_capitals_and_spaces(session: Session, name: str) -> None:
    take(session, FULL + TEAM)
    assert kinds(take(session, FULL + TEAM.replace("Team Zuid", name))) == [ChangeKind.UNCHANGED]


def test_a_new_recipient_does_not_inherit_a_phone(session: Session) -> None:
    take(session, FULL + TEAM)
    first = team(session).recipients[0]
    first.channel, first.phone, first.phone_verified_on = "sms", "+31612345678", VERIFIED
    take(session, FULL + TEAM.replace("a@example.org", "opvolger@example.org"))
    first = team(session).recipients[0]
    assert (first.address, first.verified_on) == ("opvolger@example.org", None)
    assert (first.channel, first.phone, first.phone_verified_on) == (None, None, None)


def test_no_file_makes_a_coordinator_a_recipient(session: Session) -> None:
    coen = {"role": Role.COORDINATOR, "name": "Coen", "language": "nl", "created_at": CLOCK.now()}
    session.add(StaffMember(email="coen@example.org", password_hash="", totp_sealed=b"", **coen))
    session.commit()
    assert reasons(session, FULL + TEAM.replace("b@example.org", "Coen@Example.org")) == [
        (2, "recipient_2", "coordinator")
    ]


def test_the_open_form_of_a_lead_becomes_stale(session: Session) -> None:
    take(session, FULL + TEAM)
    before = team(session).settings_version
    take(session, FULL + TEAM)
    assert team(session).settings_version == before
    take(session, FULL + TEAM.replace("b@example.org", "c@example.org"))
    assert team(session).settings_version == before + 1


@pytest.mark.parametrize(
    ("known", "named", "wanted"),
    [
        (["own", "a", "b"], ["a", "b"], ["own", "a", "b"]),
        (["a", "b"], ["a", "c"], ["a", "c"]),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        (["a", "b", "own"], ["c"], ["c", "b", "own"]),
        (["a"], ["c", "d"], ["c", "d"]),
        ([], ["c", "d"], ["c", "d"]),
    ],
)
def test_a_new_recipient_takes_the_place_of_one_that_the_file_does_not_name(
    known: list[str], named: list[str], wanted: list[str]
) -> None:
    assert with_named(known, named) == wanted


def test_recipients_that_a_team_added_stay_though_a_file_names_two(session: Session) -> None:
    zuid = take_live(session)
    own = [
        RecipientFactory.build(position=place, address=f"{place}@example.org", verified_on=None)
        for place in (3, 4)
    ]
    own[0].verified_on = VERIFIED
    zuid.recipients.extend(own)
    session.flush()
    assert kinds(take(session, FULL + TEAM)) == [ChangeKind.UNCHANGED]
    take(session, FULL + TEAM.replace("b@example.org", "c@example.org"))
    assert {r.address: r.verified_on for r in team(session).recipients} == {
        "a@example.org": VERIFIED,
        "c@example.org": None,
        "3@example.org": VERIFIED,
        "4@example.org": None,
    }


def test_an_area_ends_by_its_last_day_and_is_never_removed(session: Session) -> None:
    head = "name,kind,level,area,valid_from,valid_until\n"
    take(session, head + "Team Zuid,social_work,pc4,1071,2026-01-01,\n")
    result = take(session, head + "Team Zuid,social_work,pc4,1071,2026-01-01,2027-01-01\n")
    assert ChangeKind.AREA_ENDED in kinds(result)
    assert session.scalars(select(CoverageArea.valid_until)).all() == [date(2027, 1, 1)]
    take(session, head + "Team Zuid,social_work,pc4,1072,2027-01-01,\n")
    assert len(areas(session)) == 2


WITH_END = "name,kind,level,area,valid_from,valid_until\n"


WIJDEMEREN = "Wijdemeren,social_work,pc6_range,1241AA 1-50,2026-01-01,{}\n"


@pytest.mark.parametrize(
    ("former", "wanted", "told"),
    [
        ("", "2027-01-01", ChangeKind.AREA_ENDED),
        ("", "2026-11-24", ChangeKind.AREA_ENDED),
        ("", "2026-11-23", "end_not_allowed"),
        ("2027-01-01", "2026-12-01", ChangeKind.AREA_ENDED),
        ("2027-01-01", "2026-11-23", "end_not_allowed"),
        ("2027-01-01", "2027-02-01", "end_not_allowed"),
        ("2026-11-24", "2027-02-01", "end_not_allowed"),
        ("2026-11-24", "2026-11-01", "end_not_allowed"),
        ("2026-11-24", "2026-11-24", ChangeKind.UNCHANGED),
        ("2026-11-24", "", ChangeKind.UNCHANGED),
    ],
)
def test_an_area_ends_as_on_the_page_of_coverage(
    session: Session, former: str, wanted: str, told: ChangeKind | str
) -> None:
    """Today is 24 November."""
    take(session, WITH_END + WIJDEMEREN.format(former))
    result = take(session, WITH_END + WIJDEMEREN.format(wanted))
    if isinstance(told, ChangeKind):
        assert (result.rejected, kinds(result)[0]) == ((), told)
        assert session.scalars(select(CoverageArea.valid_until)).all() == [
            date.fromisoformat(wanted or former) if wanted or former else None
        ]
    else:
        assert [(one.line, one.column, one.reason) for one in result.rejected] == [(2, "valid_until", told)]


@pytest.mark.parametrize("name", ["Versa Hilversum", "Wijdemeren"])
def test_an_area_may_not_overlap_another_one_on_a_date(session: Session, name: str) -> None:
    other = f"{name},social_work,pc6_range,1241AA 1-99,{{}},\n"
    take(session, WITH_END + WIJDEMEREN.format("2027-01-01"))
    result = take(session, WITH_END + other.format("2026-12-31"))
    assert [(one.line, one.column, one.reason) for one in result.rejected] == [(2, "area", "covered_already")]
    assert take(session, WITH_END + other.format("2027-01-01")).rejected == ()


def test_the_changed_fields_come_in_the_order_of_the_columns(session: Session) -> None:
    """Two processes give the same order, so that an import equals the preview of another process."""
    take(session, FULL + TEAM)
    head = FULL.replace("\n", ",contact_phone,contact_email\n")
    text = TEAM.replace("Wmo,Lijst,a@", "Jeugdwet,Nieuw,c@").replace("\n", ",0201234567,team@example.org\n")
    assert take(session, head + text).changes[0].fields == (
        "legal_basis",
        "retention_basis",
        "contact_phone",
        "contact_email",
        "recipients",
    )


def test_a_change_moves_the_routing_version_and_is_audited(session: Session) -> None:
    take(session, FULL + TEAM)
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.subject_id) == (AuditAction.ORGANISATION_CHANGED, team(session).id)
    assert session.scalars(select(RoutingVersion.version)).one() > 1


def test_columns_that_a_spreadsheet_once_had_are_none(session: Session) -> None:
    text = SHORT.replace("\n", ",,\n") + "Team Zuid,social_work,pc4,1071,2026-01-01,,\n"
    text += "Team Zuid,social_work,pc4,1072,2026-01-01\nTeam Zuid,social_work,pc4,1073,2026-01-01, ,,\n"
    assert take(session, text).rejected == ()
    assert len(areas(session)) == 3


def test_an_area_may_not_be_listed_twice(session: Session) -> None:
    result = take(session, SHORT + "A,social_work,pc4,1071,2026-01-01\n" * 2)
    assert [(one.line, one.column, one.reason) for one in result.rejected] == [(3, "area", "covered_already")]
