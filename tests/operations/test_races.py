"""What somebody else does between two statements of ours, on both databases."""

import io
import re
import uuid
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import pyotp
import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, func, literal, select, text, update

from notifications.dead_letters import send_again
from notifications.figures import KEPT
from notifications.models import MessageState, OutboxMessage
from notifications.outbox import enqueue
from privacy.passwords import PasswordHasherSettings
from signals.audit.log import Actor
from signals.audit.trail import verify_trail
from signals.casework import add_note, claim, conclude_as_duplicate
from signals.casework.referral import refer
from signals.clock import today
from signals.errors import Conflict, Forbidden, Invalid, NotFound
from signals.intake.receiving import RETRY_DAYS
from signals.intake.storage import ReportStore
from signals.models import (
    Absence,
    AccountLink,
    Approval,
    AreaDay,
    CoverageArea,
    Drill,
    IdempotencyKey,
    MailboxPublicKey,
    Organisation,
    Passkey,
    Receipt,
    RetentionPeriod,
    StaffMember,
)
from signals.notices.drills import DrillReport
from signals.notices.limit_notices import KEPT as DAYS_KEPT
from signals.organisations import administration
from signals.organisations.administration import add_organisation
from signals.organisations.covering import CoverageOverlaps, add_area
from signals.organisations.csv_import import import_organisations
from signals.organisations.drafts import ChangeKind
from signals.retention.purging import purge
from signals.routing.areas import Area
from signals.routing.snapshot import routing_changed
from signals.staff import absence, passkeys
from signals.staff.accounts import add_staff
from signals.staff.change_messages import AccountSettings
from signals.staff.invitations import Person
from signals.staff.recovery import LinkRefused, activate, link_token, offered_totp
from signals.staff.team import change_role, grant
from signals.vocabulary import (
    DeletionReason,
    OrganisationKind,
    ProcessRole,
    ReceiptState,
    ReferralReason,
    Role,
    SignalState,
)
from tests.factories import receiving
from tests.notifications.building import new_message
from tests.support.meanwhile import meanwhile
from tests.support.retention import arrived, concluded, retention_of
from tests.support.trail import keys_of, link, opened
from tests.support.world import AMSTERDAM, GRONINGEN, IN_AMSTERDAM, IN_GRONINGEN, LONG_AGO, World

ADMINISTRATOR = Actor(id=uuid.UUID(int=9), role=Role.ADMINISTRATOR, organisation_id=None)


# Accounts and teams


SETTINGS = AccountSettings(site="https://desk.example")


def test_the_second_of_two_people_who_let_in_the_same_person_learns_that_it_was_done(world: World) -> None:
    def let_in() -> None:
        with world.sessions.begin() as session:
            add_staff(
                world.operation(session),
                organisation_id=AMSTERDAM,
                role=Role.WORKER,
                name="Anna",
                email="anna@example.org",
                password="zeven groene fietsen",
            )

    with pytest.raises(Invalid) as refused, meanwhile(world.engine, "FROM staff_members", let_in):
        let_in()
    assert [(problem.field, problem.code) for problem in refused.value.problems] == [("email", "taken")]


def test_two_leads_who_take_each_others_role_leave_the_team_with_one(world: World) -> None:
    one, other = world.staff(role=Role.LEAD), world.staff(role=Role.LEAD)

    def demote(actor: Actor, member: Actor) -> None:
        with world.sessions.begin() as session:
            change_role(
                world.operation(session, actor), member_id=member.id, role=Role.WORKER, settings=SETTINGS
            )

    with pytest.raises(Forbidden), meanwhile(world.engine, "FROM staff_members", lambda: demote(other, one)):
        demote(one, other)
    with world.sessions() as session:
        leads = select(func.count()).where(
            StaffMember.role == Role.LEAD, StaffMember.organisation_id == AMSTERDAM
        )
        assert session.scalar(leads) == 1


def test_one_of_two_first_leads_invited_at_once_can_come(world: World) -> None:
    administrator = world.staff(None, Role.ADMINISTRATOR)

    def let_in(name: str) -> None:
        person = Person(
            organisation_id=GRONINGEN, role=Role.LEAD, name=name, email=f"{name.lower()}@example.org"
        )
        with world.sessions.begin() as session:
            grant(world.operation(session, administrator), person=person, settings=SETTINGS)

    with meanwhile(world.engine, "staff_members.email = ", lambda: let_in("Lena")):
        let_in("Gijs")
    with world.sessions() as session:
        open_ones = select(StaffMember).where(
            StaffMember.organisation_id == GRONINGEN, StaffMember.disabled_at.is_(None)
        )
        assert len(session.scalars(open_ones).all()) == 1


def test_a_first_lead_who_comes_while_another_is_invited_makes_it_a_request(world: World) -> None:
    """Or is told that the link is over: the administrator never comes in beside somebody."""
    administrator = world.staff(None, Role.ADMINISTRATOR)

    def let_in(name: str) -> StaffMember | Approval:
        person = Person(
            organisation_id=GRONINGEN, role=Role.LEAD, name=name, email=f"{name.lower()}@example.org"
        )
        with world.sessions.begin() as session:
            return grant(world.operation(session, administrator), person=person, settings=SETTINGS)

    let_in("Lena")
    with world.sessions() as session:
        link_id = session.scalars(select(AccountLink.id)).one()
    token, secret = link_token(world.keystore, link_id), offered_totp(world.keystore, link_id)

    def come() -> None:
        with suppress(LinkRefused), world.sessions.begin() as session:
            activate(
                world.operation(session),
                token=token,
                password="zeven groene fietsen",
                totp=pyotp.TOTP(secret).at(world.clock.now()),
                absolute_hours=12,
                hasher=PasswordHasherSettings(memory_kib=64),
            )

    with meanwhile(world.engine, "staff_members.totp_last_step = ", come):
        done = let_in("Gijs")
    with world.sessions() as session:
        query = select(StaffMember).where(StaffMember.organisation_id == GRONINGEN)
        came = [m.name for m in session.scalars(query) if m.totp_last_step and m.totp_last_step > 0]
        assert isinstance(done, Approval) == (came == ["Lena"])


def test_a_worker_who_loses_the_role_during_a_claim_does_not_keep_the_signal(world: World) -> None:
    signal_id, lead, worker = arrived(world), world.staff(role=Role.LEAD), world.staff()

    def take_role() -> None:
        with world.sessions.begin() as session:
            change_role(
                world.operation(session, lead),
                member_id=worker.id,
                role=Role.PRIVACY_OFFICER,
                settings=SETTINGS,
            )

    with meanwhile(world.engine, "FROM signals", take_role), world.sessions.begin() as session:
        claim(world.operation(session, worker), signal_id=signal_id)
    world.worker().remind()
    assert world.signals()[0].claimed_by_id is None


def away(world: World, actor: Actor, first: int, last: int) -> None:
    on = today(world.clock)
    with world.sessions.begin() as session:
        absence.add_absence(
            world.operation(session, actor),
            away_from=on + timedelta(days=first),
            away_until=on + timedelta(days=last),
        )


def test_the_service_refuses_one_of_two_absences_that_overlap(world: World) -> None:
    worker = world.staff()
    with pytest.raises(Invalid), meanwhile(world.engine, "FROM absences", lambda: away(world, worker, 1, 5)):
        away(world, worker, 3, 8)
    assert world.count(Absence) == 1


def test_an_absence_that_somebody_else_removes_meanwhile_is_not_found(world: World) -> None:
    worker = world.staff()
    away(world, worker, 1, 5)
    with world.sessions() as session:
        absence_id = session.scalars(select(Absence.id)).one()

    def remove() -> None:
        with world.sessions.begin() as session:
            absence.remove_absence(world.operation(session, worker), absence_id)

    with pytest.raises(NotFound), meanwhile(world.engine, "FROM absences", remove):
        remove()


def test_a_passkey_that_is_removed_while_it_is_renamed_is_simply_gone(world: World) -> None:
    owner = world.staff()
    with world.sessions.begin() as session:
        kept = Passkey(
            staff_member_id=owner.id,
            label="telefoon",
            credential_id=b"c",
            public_key=b"k",
            sign_count=0,
            created_on=today(world.clock),
        )
        session.add(kept)

    def remove() -> None:
        with world.sessions.begin() as session:
            passkeys.remove(world.operation(session, owner), passkey_id=kept.id)

    with meanwhile(world.engine, "FROM passkeys", remove), world.sessions.begin() as session:
        passkeys.rename(world.operation(session, owner), passkey_id=kept.id, label="oude telefoon")
    assert world.count(Passkey) == 0


def signed_in(world: World, role: Role = Role.WORKER) -> FlaskClient:
    """The browser of somebody of Amsterdam."""
    with world.sessions.begin() as session:
        added = add_staff(
            world.operation(session),
            organisation_id=AMSTERDAM,
            role=role,
            name="Anna",
            email="anna@example.org",
            password="zeven groene fietsen",
            hasher=PasswordHasherSettings(memory_kib=64),
        )
    browser = world.app(ProcessRole.DESK).test_client()
    code = pyotp.TOTP(added.totp_secret).at(world.clock.now())
    form = {"email": "anna@example.org", "password": "zeven groene fietsen", "totp": code}
    assert browser.post("/desk/sign-in", data=form).status_code == 303
    return browser


def hand_over(world: World, signal_id: uuid.UUID) -> None:
    worker = world.staff()
    with world.sessions.begin() as session:
        refer(
            world.operation(session, worker),
            signal_id=signal_id,
            to_organisation_id=GRONINGEN,
            reason=ReferralReason.OTHER,
        )


def test_a_letter_that_is_printed_while_the_signal_is_handed_over_is_none_of_the_receivers(
    world: World,
) -> None:
    signal_id, browser = arrived(world), signed_in(world)
    with meanwhile(world.engine, "FROM signals", lambda: hand_over(world, signal_id)):
        browser.get(f"/desk/signals/{signal_id}/notice.pdf")
    (signal,) = world.signals()
    assert (signal.organisation_id, signal.letter_printed_on) == (GRONINGEN, None)


def test_a_signal_that_is_handed_over_while_it_is_opened_is_shown_as_it_was(world: World) -> None:
    """Its notes are sealed anew for the receiver: what is read of it must be of one moment."""
    signal_id, browser, worker = arrived(world), signed_in(world), world.staff()
    with world.sessions.begin() as session:
        add_note(world.operation(session, worker), signal_id=signal_id, text="Belt morgen terug")
    with meanwhile(world.engine, "signals.content", lambda: hand_over(world, signal_id)):
        page = browser.get(f"/desk/signals/{signal_id}")
    assert page.status_code == 200
    assert "Belt morgen terug" in page.text


def test_the_service_refuses_one_of_two_workers_who_join_two_signals_in_opposite_directions(
    world: World,
) -> None:
    one, other = arrived(world, 1), arrived(world, 2)

    def join(signal_id: uuid.UUID, earlier_id: uuid.UUID) -> None:
        worker = world.staff()
        with world.sessions.begin() as session:
            conclude_as_duplicate(
                world.operation(session, worker), signal_id=signal_id, earlier_id=earlier_id
            )

    with pytest.raises(Conflict), meanwhile(world.engine, "FROM signals", lambda: join(other, one)):
        join(one, other)
    assert sorted(signal.state for signal in world.signals()) == [SignalState.CONCLUDED, SignalState.NEW]


def test_a_period_that_is_set_twice_at_once_is_set(world: World) -> None:
    browser = signed_in(world, Role.PRIVACY_OFFICER)
    page = "/desk/officer/retention"
    found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', browser.get(page).text)
    assert found is not None
    form = {"csrf_token": found[1], "rule": "concluded", "days": "14", "legal_basis": "Selectielijst 2026"}
    answers: list[int] = []

    def send() -> None:
        answers.append(browser.post(page, data=form).status_code)

    with meanwhile(world.engine, "retention_periods", send):
        send()
    assert answers == [303, 303]
    assert world.count(RetentionPeriod) == 1


# Administration


def test_the_second_of_two_organisations_with_one_name_is_refused(world: World) -> None:
    def add(name: str) -> None:
        with world.sessions.begin() as session:
            add_organisation(
                world.operation(session, ADMINISTRATOR),
                name=name,
                kind=OrganisationKind.SOCIAL_WORK,
            )

    with (
        pytest.raises(Invalid) as refused,
        meanwhile(world.engine, "FROM organisations", lambda: add("team  zuid")),
    ):
        add("Team Zuid")
    assert [(problem.field, problem.code) for problem in refused.value.problems] == [("name", "taken")]


def test_an_area_is_never_given_to_two_organisations_at_once(world: World) -> None:
    area = Area(level="pc4", area="1012", valid_from=date(2027, 1, 1))

    def cover(organisation_id: uuid.UUID) -> None:
        with world.sessions.begin() as session:
            add_area(
                world.operation(session, ADMINISTRATOR),
                organisation_id=organisation_id,
                area=area,
            )

    with (
        pytest.raises(CoverageOverlaps),
        meanwhile(world.engine, "FROM coverage_areas", lambda: cover(GRONINGEN)),
    ):
        cover(AMSTERDAM)
    with world.sessions() as session:
        assert session.scalar(select(func.count()).where(CoverageArea.area == "1012")) == 1


def test_a_file_of_organisations_that_two_people_import_at_once_is_taken_over_once(world: World) -> None:
    taken: list[list[ChangeKind]] = []

    def take() -> None:
        file = io.StringIO(
            "name,kind,level,area,valid_from\n"
            "Team Zuid,social_work,pc4,1012,2027-01-01\n"
            "Voorbeeld Welzijn Groningen,social_work,pc4,9711,2027-01-01\n"
        )
        with world.sessions.begin() as session:
            done = import_organisations(world.operation(session), file=file)
            taken.append([change.kind for change in done.changes])

    with meanwhile(world.engine, "FROM organisations", take):
        take()
    assert [ChangeKind.UNCHANGED] * 2 in taken
    with world.sessions() as session:
        added = select(func.count()).where(CoverageArea.area.in_(("1012", "9711")))
        assert session.scalar(added) == 2


# Drills


def test_an_end_that_was_set_by_hand_is_kept_when_drills_are_missed_at_that_moment(world: World) -> None:
    """Whoever comes first: the end stands, or it is what an answer to the drill gives back."""
    by_hand = date(2026, 12, 31)
    with world.sessions.begin() as session:
        session.execute(update(Organisation).where(Organisation.id != AMSTERDAM).values(agreement_on=None))

    missed_once(world, AMSTERDAM)
    send_drills(world, AMSTERDAM)
    world.move(days=14)
    with meanwhile(world.engine, "FROM drills", lambda: change(world, AMSTERDAM, suspended_from=by_hand)):
        follow_up(world)
    with world.sessions() as session:
        ends = {*session.scalars(select(Drill.planned_end))}
        assert by_hand in {session.get_one(Organisation, AMSTERDAM).suspended_from, *ends}


@pytest.mark.parametrize("edited", [AMSTERDAM, GRONINGEN], ids=["amsterdam", "groningen"])
def test_a_change_of_a_team_and_a_loss_of_routing_by_two_teams_do_not_deadlock(
    world: World, edited: uuid.UUID
) -> None:
    """Organisations are held before routing, all of them: on PostgreSQL one of the two was broken off."""
    missed_once(world, AMSTERDAM, GRONINGEN)
    send_drills(world, AMSTERDAM, GRONINGEN)
    world.move(days=14)
    with meanwhile(
        world.engine, "UPDATE routing_version", lambda: change(world, edited, contact_phone="020 1234567")
    ):
        assert world.worker().drill().suspended == 2
    assert phone_of(world, edited) == "020 1234567"


def test_a_change_of_a_team_keeps_no_drill_from_being_sent_while_another_loses_its_routing(
    world: World,
) -> None:
    """A drill refers to its organisation: what is sent is sent when routing is let go."""
    missed_once(world, AMSTERDAM)
    send_drills(world, AMSTERDAM)
    world.move(days=14)
    with meanwhile(
        world.engine, "UPDATE routing_version", lambda: change(world, GRONINGEN, contact_phone="020 1234567")
    ):
        done = world.worker().drill()
    assert done.suspended == 1
    with world.sessions() as session:
        assert session.scalars(select(Drill.sent_on).where(Drill.organisation_id == GRONINGEN)).all()


def missed_once(world: World, *organisation_ids: uuid.UUID) -> None:
    send_drills(world, *organisation_ids)
    world.move(days=14)
    assert follow_up(world).missed == len(organisation_ids)


def follow_up(world: World) -> DrillReport:
    with world.sessions.begin() as session:
        return world.worker().drills().follow_up(world.operation(session))


def send_drills(world: World, *organisation_ids: uuid.UUID) -> None:
    with world.sessions.begin() as session:
        world.worker().drills().send(world.operation(session), organisation_ids=organisation_ids)


def change(world: World, organisation_id: uuid.UUID, **changes: object) -> None:
    """What an administrator does on the page of a team."""
    with world.sessions.begin() as session:
        administration.change_organisation(
            world.operation(session, ADMINISTRATOR),
            organisation_id=organisation_id,
            changes=changes,
        )


def phone_of(world: World, organisation_id: uuid.UUID) -> str | None:
    with world.sessions() as session:
        return session.get_one(Organisation, organisation_id).contact_phone


# Workers beside one another


def test_keys_that_two_workers_destroy_are_reported_by_one(world: World) -> None:
    signal_id, retention = concluded(world), retention_of(world)
    with world.sessions.begin() as session:
        reasons = {signal_id: DeletionReason.CONCLUDED}
        purge(world.operation(session), reasons=reasons, locate=retention.locate)
    others: list[int] = []

    def destroy() -> None:
        others.append(retention.confirm_destroyed(world.clock))

    with meanwhile(world.engine, "FROM deletion_records", destroy):
        done = retention.confirm_destroyed(world.clock)
    assert sorted([done, *others]) == [0, 1]


def test_full_days_that_another_worker_forgets_are_not_reported_twice(world: World) -> None:
    old = today(world.clock) - DAYS_KEPT - timedelta(days=1)
    with world.sessions.begin() as session:
        session.add(AreaDay(organisation_id=AMSTERDAM, day=old, notified_percent=80, raises=0))
    others: list[int] = []
    worker = world.worker()
    with meanwhile(world.engine, "area_days", lambda: others.append(worker.forget_full_days())):
        done = worker.forget_full_days()
    assert sorted([done, *others]) == [0, 1]


def test_mailbox_keys_that_another_worker_makes_meanwhile_are_no_failure(world: World) -> None:
    with world.sessions.begin() as session:
        session.execute(delete(MailboxPublicKey))
    others: list[int] = []
    with meanwhile(
        world.engine, "FROM mailbox_public_keys", lambda: others.append(world.worker().provision_keys())
    ):
        made = world.worker().provision_keys()
    assert min(made, *others) == 0
    assert made + others[0] == world.count(MailboxPublicKey)


def test_a_dead_letter_that_somebody_sends_again_is_not_forgotten(world: World) -> None:
    arrived(world)
    with world.sessions.begin() as session:
        long_ago = world.clock.now() - KEPT - timedelta(days=1)
        session.execute(update(OutboxMessage).values(state=MessageState.FAILED, settled_at=long_ago))
    sent: list[int] = []

    def again() -> None:
        with world.sessions.begin() as session:
            sent.append(send_again(session, world.clock))

    with meanwhile(world.engine, "FROM outbox_messages", again):
        forgotten = world.worker().forget_messages()
    assert (world.count(OutboxMessage), forgotten + sent[0]) == (sent[0], 2)


def test_a_trail_that_is_pruned_while_it_is_verified_is_whole(world: World) -> None:
    opened(world, 3)
    link(world)
    world.move(days=800)
    opened(world, 3)
    link(world)

    def prune() -> None:
        world.worker().prune_audit()

    with meanwhile(world.engine, "min(audit_links", prune), world.sessions() as session:
        assert verify_trail(session, world.clock, keys=keys_of(world)) == ()


@pytest.mark.postgres
def test_messages_are_written_in_one_order_so_that_two_workers_never_wait_for_one_another(
    postgres_world: World,
) -> None:
    names = ("c", "a", "b")
    with postgres_world.sessions.begin() as session:
        enqueue(session, [new_message(recipient=f"{name}@example.org") for name in names])
    with postgres_world.sessions() as session:
        written = session.scalars(text("SELECT recipient FROM outbox_messages ORDER BY ctid")).all()
    assert written == [f"{name}@example.org" for name in sorted(names)]


# The door


def test_a_retry_of_what_is_forgotten_at_that_moment_is_stored_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, original = world.receive(1), ReportStore.add

    def forgotten_next(self: ReportStore, *row: Any) -> bool:
        stored = original(self, *row)
        with world.sessions.begin() as session:
            session.execute(delete(IdempotencyKey).where(literal(not stored)))
        return stored

    monkeypatch.setattr(ReportStore, "add", forgotten_next)
    assert world.receive(1).receipt == first.receipt
    assert world.count(IdempotencyKey) == 1


def test_a_report_that_arrives_while_old_keys_are_forgotten_keeps_its_receipt(world: World) -> None:
    world.receive(1, IN_GRONINGEN)
    world.worker().arrive()
    receipt = world.receive(2).receipt
    world.move(days=RETRY_DAYS + 1)
    with meanwhile(world.engine, "receipts", lambda: world.worker().arrive()):
        assert world.worker().forget_retries() == 1
    assert len(world.signals()) == 2
    assert world.intake().receipt_state(world.clock, receipt)[0] is ReceiptState.RECEIVED


def test_a_receipt_that_is_forgotten_at_that_moment_stops_no_claim(world: World) -> None:
    signal_id, worker = arrived(world), world.staff()
    with world.sessions.begin() as session:
        signal = world.signals()[0]
        session.add(
            Receipt(
                receipt_hash=signal.receipt_hash,
                changed_on=date(2024, 1, 1),
                state="received",
                state_before="received",
            )
        )

    def forget() -> None:
        with world.sessions.begin() as session:
            session.execute(delete(Receipt))

    with meanwhile(world.engine, "receipts", forget), world.sessions.begin() as session:
        claim(world.operation(session, worker), signal_id=signal_id)
    assert world.signals()[0].claimed_by_id == worker.id


def test_an_area_that_changes_hands_while_routing_is_read_is_never_without_a_team(world: World) -> None:
    """What is read of organisations and of their areas is of one moment."""
    router = world.router(refresh_seconds=3600)

    def change_hands() -> None:
        with world.sessions.begin() as session:
            session.execute(delete(CoverageArea).where(CoverageArea.organisation_id == AMSTERDAM))
            session.add(receiving("municipality", "GM0363", valid_from=LONG_AGO, name="Team Zuid"))
            routing_changed(session)

    with meanwhile(world.engine, "FROM organisations", change_hands):
        route = router.route(IN_AMSTERDAM.postcode, IN_AMSTERDAM.number, today(world.clock))
    assert route.kind is OrganisationKind.SOCIAL_WORK
