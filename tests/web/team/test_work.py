"""Test rounds, reassigning and joining duplicates in a browser without JavaScript."""

import re
from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from signals.casework.workload import colleagues, workload
from signals.db import session_factory
from signals.models import StaffMember
from signals.vocabulary import AuditAction, Outcome, SignalState
from tests.support.desk_side import AMSTERDAM, Desk
from tests.support.pages import Browser, hidden_value, words
from tests.support.team_work import id_of, join, organisation_of, post, signal_of


@pytest.fixture
def anna(desk: Desk) -> Browser:
    return Browser(desk, "anna")


@pytest.fixture
def lena(desk: Desk) -> Browser:
    return Browser(desk, "lena")


def test_a_round_lists_own_addresses_by_postcode_without_a_source(desk: Desk, anna: Browser) -> None:
    ids = [desk.arrive(number=number, concern_types=["frail"]) for number in (14, 11, 12, 13)]
    for signal_id in ids:
        anna.send(signal_id, "claim")
    choose = anna.get("/desk/round")
    assert choose.text.count("checked") == 4
    assert "1012 AB 11" in words(choose)
    assert "looproute" not in words(choose)
    page = anna.get(post(anna, "/desk/round", ids=list(map(str, ids))).headers["Location"])
    assert re.findall(r"1012 AB \d+", words(page)) == [
        "1012 AB 11",
        "1012 AB 13",
        "1012 AB 14",
        "1012 AB 12",
    ]
    assert "bezorger" not in words(page).lower()
    assert "achteruit" not in words(page)
    assert {entry.subject_id for entry in desk.entries(AuditAction.ROUND_PRINTED)} == set(ids)


def test_a_signal_of_a_round_links_back_to_the_round_after_an_attempt(desk: Desk, anna: Browser) -> None:
    ids = [desk.arrive(number=number) for number in (11, 12)]
    for signal_id in ids:
        anna.send(signal_id, "claim")
    walked = post(anna, "/desk/round", ids=list(map(str, ids))).headers["Location"]
    address = unescape(re.findall(r'class="stops__address" href="([^"]+)"', anna.get(walked).text)[0])
    page = anna.get(address).text
    assert f'href="{walked}">Terug naar de ronde<' in unescape(page)
    action = unescape(re.findall(r'action="([^"]+/contact-attempts[^"]*)"', page)[0])
    hidden = {name: hidden_value(page, name) for name in ("csrf_token", "version")}
    tried = anna.client.post(action, data=hidden | {"kind": "visit", "result": "no_answer"})
    after = unescape(anna.get(tried.location).text)
    assert "De poging is opgeslagen." in after
    assert f'href="{walked}">Terug naar de ronde<' in after
    assert "Terug naar de ronde" not in anna.get(f"/desk/signals/{ids[0]}?round=javascript:1").text


def test_a_round_needs_one_to_twelve_signals(desk: Desk, anna: Browser) -> None:
    own = desk.arrive()
    anna.send(own, "claim")
    for ids in ([], [str(uuid4()) for _ in range(13)], ["no id"]):
        page = post(anna, "/desk/round", ids=ids)
        assert page.status_code == 400
        assert "Kies minstens één signaal en hoogstens 12." in words(page)
    assert {entry.subject_id for entry in desk.entries(AuditAction.ROUND_PRINTED)} == {own}


def test_without_claimed_signals_the_round_explains_claiming(anna: Browser) -> None:
    assert "U hebt geen open signalen" in words(anna.get("/desk/round"))


def test_a_lead_gives_a_signal_to_a_colleague(desk: Desk, lena: Browser) -> None:
    signal_id = desk.arrive()
    answer = lena.send(signal_id, "reassign", to_staff_id=str(id_of(desk, "bram")))
    assert answer.location.startswith(f"/desk/signals/{signal_id}?done=reassign&at=")
    assert "Your colleague has this signal now." in words(lena.get(answer.location))
    signal = signal_of(desk, signal_id)
    assert (signal.claimed_by_id, signal.state) == (id_of(desk, "bram"), SignalState.CLAIMED)


def test_a_signal_can_go_to_other_members_of_the_team(desk: Desk) -> None:
    team, anna = organisation_of(desk, AMSTERDAM), id_of(desk, "anna")
    with Session(desk.engine) as session:
        everybody = colleagues(session, organisation_id=team)
        others = colleagues(session, organisation_id=team, besides=anna)
    assert [name.split()[0] for _, name in everybody] == ["Anna", "Bram", "Lena"]
    assert [name.split()[0] for _, name in others] == ["Bram", "Lena"]


def test_leads_see_the_open_and_late_signals_of_each_member(desk: Desk, anna: Browser, lena: Browser) -> None:
    ids = [desk.arrive(number=number) for number in (11, 13, 15)]
    for signal_id in ids:
        anna.send(signal_id, "claim")
    anna.send(ids[0], "conclude", outcome="misuse")
    desk.clock.moment += timedelta(days=7)
    team = organisation_of(desk, AMSTERDAM)
    with Session(desk.engine) as session:
        loads = workload(session, organisation_id=team, on=desk.clock.moment.date())
    assert [(load.name.split()[0], load.open, load.late) for load in loads] == [
        ("Anna", 2, 2),
        ("Bram", 0, 0),
        ("Lena", 0, 0),
    ]


def test_a_former_member_is_counted_while_signals_are_on_their_name(desk: Desk) -> None:
    anna = Browser(desk, "anna")
    anna.send(desk.arrive(), "claim")
    team, left = organisation_of(desk, AMSTERDAM), [id_of(desk, who) for who in ("anna", "bram")]
    with session_factory(desk.engine).begin() as session:
        for staff_id in left:
            session.get_one(StaffMember, staff_id).disabled_at = desk.clock.now()
    with Session(desk.engine) as session:
        loads = workload(session, organisation_id=team, on=desk.clock.now().date())
        may_be_given = colleagues(session, organisation_id=team)
    assert [(load.name.split()[0], load.open) for load in loads] == [("Anna", 1), ("Lena", 0)]
    assert [name.split()[0] for _, name in may_be_given] == ["Lena"]


def test_the_later_of_two_reports_of_one_address_is_joined_in_one_click(desk: Desk, anna: Browser) -> None:
    first = desk.arrive()
    desk.clock.moment += timedelta(days=2)
    anna = Browser(desk, "anna")
    second = desk.arrive()
    page = anna.get(f"/desk/signals/{second}")
    assert "Zelfde adres, 2 dagen eerder: samenvoegen?" in words(page)
    assert "samenvoegen?" not in words(anna.get(f"/desk/signals/{first}"))
    answer = join(anna, second, first)
    assert answer.location.startswith(f"/desk/signals/{second}?done=join&at=")
    page = anna.get(answer.location)
    assert "Het signaal is afgerond als dubbel gemeld." in words(page)
    happened = re.findall(r'class="timeline__what">([^<]+)<', page.text)
    assert happened == ["Afgerond", "Opgepakt", "Binnengekomen"]
    joined = signal_of(desk, second)
    assert (joined.state, joined.outcome) == (SignalState.CONCLUDED, Outcome.DUPLICATE)
    assert signal_of(desk, first).state is SignalState.NEW


def test_two_opposite_joins_leave_one_open_signal(desk: Desk, anna: Browser) -> None:
    """Each person opened one signal before the other person joined it."""
    one, other = desk.arrive(), desk.arrive()
    assert "samenvoegen?" in words(anna.get(f"/desk/signals/{other}"))
    assert join(Browser(desk, "bram"), one, other).status_code == 303
    refused = join(anna, other, one)
    assert refused.status_code == 409
    assert "samenvoegen?" not in words(refused)
    assert signal_of(desk, other).state is SignalState.NEW


def test_the_report_with_work_done_goes_on(desk: Desk, anna: Browser) -> None:
    first = desk.arrive()
    desk.clock.moment += timedelta(days=2)
    anna = Browser(desk, "anna")
    second = desk.arrive()
    anna.send(second, "claim")
    anna.send(second, "contact-attempts", kind="visit", result="no_answer")
    assert "samenvoegen?" not in words(anna.get(f"/desk/signals/{second}"))
    page = anna.get(f"/desk/signals/{first}")
    assert "Zelfde adres, 2 dagen later: samenvoegen?" in words(page)
    join(anna, first, second)
    assert signal_of(desk, first).outcome is Outcome.DUPLICATE
    assert signal_of(desk, second).state is SignalState.IN_FOLLOW_UP


def test_on_one_day_a_notified_resident_counts_before_a_claim(desk: Desk, anna: Browser) -> None:
    one, other = desk.arrive(), desk.arrive()
    anna.send(one, "claim")
    assert "samenvoegen?" not in words(anna.get(f"/desk/signals/{one}"))
    assert "samenvoegen?" in words(anna.get(f"/desk/signals/{other}"))
    anna.send(other, "notice", notified_on="2026-11-24")
    assert "samenvoegen?" in words(anna.get(f"/desk/signals/{one}"))
    assert "samenvoegen?" not in words(anna.get(f"/desk/signals/{other}"))


@pytest.mark.parametrize("number", [14, 12])
def test_only_open_reports_of_one_address_can_be_joined(desk: Desk, anna: Browser, number: int) -> None:
    earlier = desk.arrive(number=number)
    if number == 12:
        anna.send(earlier, "claim")
        anna.send(earlier, "conclude", outcome="misuse")
    page = anna.get(f"/desk/signals/{desk.arrive(number=12)}")
    assert "samenvoegen?" not in words(page)


def test_a_signal_of_a_colleague_is_not_joined(desk: Desk, anna: Browser) -> None:
    first, second = desk.arrive(), desk.arrive()
    Browser(desk, "bram").send(second, "claim")
    assert "samenvoegen?" not in words(anna.get(f"/desk/signals/{second}"))
    assert join(anna, second, first).status_code == 409
    assert signal_of(desk, second).state is SignalState.CLAIMED
