"""Test an agreed day and a Wmo notification on pages, in the hand-over and for the resident."""

import re
from datetime import date

from tests.support.desk_side import Desk
from tests.support.pages import Browser, words
from tests.support.team_pages import claimed
from tests.support.team_work import signal_of


def test_a_day_is_agreed_and_a_wmo_notification_noted_in_the_browser(desk: Desk) -> None:
    signal_id = desk.arrive()
    anna = Browser(desk, "anna")
    anna.send(signal_id, "claim")
    agreed = {"kind": "phone", "result": "postponed", "postponed_until": "2026-12-08"}
    assert anna.send(signal_id, "contact-attempts", **agreed).status_code == 303
    page = words(anna.get(f"/desk/signals/{signal_id}"))
    assert "volgend contact di 8 dec 2026, over 14 dagen" in page
    assert "Afgesproken dag: di 8 dec 2026" in page
    assert "Volgend contact: di 8 dec" in words(anna.get("/desk"))
    assert anna.send(signal_id, "wmo", wmo_notified_on="2026-11-24").status_code == 303
    assert "Wmo-melding gedaan" in words(anna.get(f"/desk/signals/{signal_id}"))
    assert signal_of(desk, signal_id).wmo_notified_on == date(2026, 11, 24)


def test_the_page_shows_a_refused_day_beside_its_field(desk: Desk) -> None:
    signal_id = desk.arrive()
    anna = Browser(desk, "anna")
    anna.send(signal_id, "claim")
    for until, told in (("2026-11-24", "Kies een dag na vandaag."), ("2027-03-01", "Kies een eerdere dag")):
        answer = anna.send(
            signal_id, "contact-attempts", kind="phone", result="postponed", postponed_until=until
        )
        assert answer.status_code == 400
        assert told in words(answer)
        assert f'value="{until}"' in answer.text


def test_an_agreement_without_a_day_is_not_saved_and_asks_for_it(desk: Desk) -> None:
    signal_id = desk.arrive()
    anna = Browser(desk, "anna")
    anna.send(signal_id, "claim")
    answer = anna.send(signal_id, "contact-attempts", kind="phone", result="postponed")
    assert answer.status_code == 400
    assert "Vul in welke dag u afsprak" in words(answer)
    assert '<details class="inside-form" open>\n    <summary>Sprak u een dag af?' in answer.text
    assert signal_of(desk, signal_id).state == "claimed"


def test_a_round_preselects_no_waiting_or_reached_signal(desk: Desk) -> None:
    untried, waits, reached = (desk.arrive() for _ in range(3))
    anna = Browser(desk, "anna")
    for signal_id in (untried, waits, reached):
        anna.send(signal_id, "claim")
    anna.send(waits, "contact-attempts", kind="phone", result="postponed", postponed_until="2026-12-08")
    anna.send(reached, "contact-attempts", kind="visit", result="contact")
    page = anna.get("/desk/round")
    ticked = re.findall(r'name="ids" value="([^"]+)" checked', page.text)
    assert ticked == [str(untried)]
    assert "Volgend contact: di 8 dec" in words(page)
    assert "Contact gehad" in words(page)


def test_the_api_tells_the_agreed_day_and_the_hand_over_takes_both_along(desk: Desk) -> None:
    signal_id = claimed(desk, "anna")
    agreed = {
        "kind": "visit", "result": "postponed", "attempted_at": "2026-11-24T10:00:00+01:00",
        "postponed_until": "2026-12-08",
    }  # fmt: skip
    answer = desk.call("anna", "POST", f"/signals/{signal_id}/contact-attempts", json=agreed)
    assert answer.get_json()["postponed_until"] == "2026-12-08"
    [item] = desk.call("anna", "GET", "/queue").get_json()["items"]
    assert item["postponed_until"] == "2026-12-08"
    wmo = desk.call(
        "anna", "POST", f"/signals/{signal_id}/wmo-notification", json={"wmo_notified_on": "2026-11-24"}
    )
    assert (wmo.status_code, wmo.get_json()) == (201, {"wmo_notified_on": "2026-11-24"})
    stale = desk.call(
        "anna",
        "POST",
        f"/signals/{signal_id}/wmo-notification",
        json={"wmo_notified_on": None},
        headers={"If-Match": '"1"'},
    )
    assert stale.status_code == 412
    told = {"contact_by": "phone", "notified_by": "phone"}
    outcome = {"outcome": "help_accepted", "newly_known": True} | told
    assert desk.call("anna", "POST", f"/signals/{signal_id}/conclude", json=outcome).status_code == 200
    document = desk.call("anna", "GET", f"/signals/{signal_id}/handover.json").get_json()
    assert (document["version"], document["wmo_notified_on"]) == ("1.1", "2026-11-24")
    assert [tried["postponed_until"] for tried in document["contact_attempts"]] == ["2026-12-08", None]
