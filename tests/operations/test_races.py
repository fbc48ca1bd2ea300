"""Let somebody else act between two statements of ours, on both databases."""

import uuid
from contextlib import suppress
from datetime import timedelta

import pyotp
import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from privacy.passwords import PasswordHasherSettings
from signals.audit.log import Actor
from signals.casework import add_note, claim, conclude_as_duplicate
from signals.casework.referral import refer
from signals.clock import today
from signals.errors import Conflict, Forbidden, Invalid, NotFound
from signals.models import Absence, AccountLink, Approval, StaffMember
from signals.staff import absence
from signals.staff.accounts import add_staff
from signals.staff.change_messages import AccountSettings
from signals.staff.invitations import Person
from signals.staff.recovery import LinkRefused, link_token, look
from signals.staff.team import change_role, grant
from signals.vocabulary import ProcessRole, ReferralReason, Role, SignalState
from tests.support.meanwhile import meanwhile
from tests.support.recovering import take_up
from tests.support.retention import arrived
from tests.support.world import AMSTERDAM, GRONINGEN, World

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
        world.do(actor, change_role, member_id=member.id, role=Role.WORKER)

    with pytest.raises(Forbidden), meanwhile(world.engine, "FROM staff_members", lambda: demote(other, one)):
        demote(one, other)
    with world.sessions() as session:
        leads = select(func.count()).where(
            StaffMember.role == Role.LEAD, StaffMember.organisation_id == AMSTERDAM
        )
        assert session.scalar(leads) == 1


def test_a_first_lead_who_comes_while_another_is_invited_makes_it_a_request(world: World) -> None:
    """Or is told that the link is over: the administrator never comes in beside somebody."""
    administrator = world.staff(None, Role.ADMINISTRATOR)

    def let_in(name: str) -> StaffMember | Approval:
        person = Person(
            organisation_id=GRONINGEN, role=Role.LEAD, name=name, email=f"{name.lower()}@example.org"
        )
        return world.do(administrator, grant, person=person, settings=SETTINGS)

    let_in("Lena")
    link_id = world.row(select(AccountLink.id))
    token = link_token(world.keystore, link_id)
    with world.sessions.begin() as session:
        offer = look(world.operation(session), token=token)

    def come() -> None:
        with suppress(LinkRefused), world.sessions.begin() as session:
            take_up(world.operation(session), token, offer)

    with meanwhile(world.engine, "staff_members.totp_last_step = ", come):
        done = let_in("Gijs")
    with world.sessions() as session:
        query = select(StaffMember).where(StaffMember.organisation_id == GRONINGEN)
        came = [m.name for m in session.scalars(query) if m.totp_last_step and m.totp_last_step > 0]
        assert isinstance(done, Approval) == (came == ["Lena"])


def test_a_worker_who_loses_the_role_during_a_claim_does_not_keep_the_signal(world: World) -> None:
    signal_id, lead, worker = arrived(world), world.staff(role=Role.LEAD), world.staff()

    def take_role() -> None:
        world.do(lead, change_role, member_id=worker.id, role=Role.PRIVACY_OFFICER)

    with meanwhile(world.engine, "FROM signals", take_role), world.sessions.begin() as session:
        claim(world.operation(session, worker), signal_id=signal_id)
    world.worker().remind()
    assert world.signals()[0].claimed_by_id is None


def away(world: World, actor: Actor, first: int, last: int) -> None:
    on = today(world.clock)
    world.do(
        actor, absence.add_absence, away_from=on + timedelta(days=first), away_until=on + timedelta(days=last)
    )


def test_the_service_refuses_one_of_two_absences_that_overlap(world: World) -> None:
    worker = world.staff()
    with pytest.raises(Invalid), meanwhile(world.engine, "FROM absences", lambda: away(world, worker, 1, 5)):
        away(world, worker, 3, 8)
    assert world.count(Absence) == 1


def test_an_absence_that_somebody_else_removes_meanwhile_is_not_found(world: World) -> None:
    worker = world.staff()
    away(world, worker, 1, 5)
    absence_id = world.row(select(Absence.id))

    def remove() -> None:
        world.do(worker, absence.remove_absence, absence_id)

    with pytest.raises(NotFound), meanwhile(world.engine, "FROM absences", remove):
        remove()


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
    world.do(worker, refer, signal_id=signal_id, to_organisation_id=GRONINGEN, reason=ReferralReason.OTHER)


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
    world.do(worker, add_note, signal_id=signal_id, text="Belt morgen terug")
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
        world.do(worker, conclude_as_duplicate, signal_id=signal_id, earlier_id=earlier_id)

    with pytest.raises(Conflict), meanwhile(world.engine, "FROM signals", lambda: join(other, one)):
        join(one, other)
    assert sorted(signal.state for signal in world.signals()) == [SignalState.CONCLUDED, SignalState.NEW]
