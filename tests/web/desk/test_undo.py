"""Test on the pages that each save can be undone until the next change."""

import re

import pytest

from signals.audit.grounds import Ground
from signals.vocabulary import AuditAction, SignalState
from tests.support.desk_side import Desk
from tests.support.pages import Browser, hidden_value, words
from tests.support.team_pages import claimed
from tests.support.team_work import signal_of

UNDO = "Ongedaan maken"
SAVES = [
    ("release", {}),
    ("contact-attempts", {"kind": "visit", "result": "no_answer"}),
    ("notes", {"text": "Bij de verkeerde bewoner."}),
    ("notice", {"notified_on": "2026-11-24"}),
    ("urgent", {"urgent": "1"}),
    ("conclude", {"outcome": "misuse"}),
]


@pytest.mark.parametrize(("form", "values"), SAVES)
def test_each_save_offers_to_undo_it_on_the_page_that_follows(
    desk: Desk, form: str, values: dict[str, str]
) -> None:
    signal_id = claimed(desk, "anna")
    anna = Browser(desk, "anna")
    before = anna.get(f"/desk/signals/{signal_id}").text
    saved = anna.get(anna.send(signal_id, form, **values).location)
    assert UNDO in words(saved)
    assert f'action="/desk/signals/{signal_id}/undo"' in saved.text
    undone = anna.get(anna.send(signal_id, "undo").location)
    assert "Dat is ongedaan gemaakt." in words(undone)
    assert UNDO not in words(undone)
    assert _content(undone.text) == _content(before)
    assert Ground.UNDONE in {entry.ground for entry in desk.entries(AuditAction.SIGNAL_CHANGED)}


def _content(page: str) -> str:
    """Return the signal on the page without what every answer has anew."""
    article = page.partition("<article")[2].partition("</article>")[0]
    return re.sub(r'name="(version|csrf_token|attempt_id)" value="[^"]*"', "", article)


def test_pressing_undo_twice_undoes_once(desk: Desk) -> None:
    signal_id = claimed(desk, "anna")
    anna = Browser(desk, "anna")
    page = anna.get(f"/desk/signals/{signal_id}").text
    shown = {name: hidden_value(page, name) for name in ("csrf_token", "version")}
    for _press in range(2):
        answer = anna.client.post(f"/desk/signals/{signal_id}/undo", data=shown)
        assert answer.status_code == 303
    assert signal_of(desk, signal_id).state is SignalState.NEW


def test_undoing_after_somebody_else_changed_the_signal_says_so(desk: Desk) -> None:
    signal_id, anna = desk.arrive(), Browser(desk, "anna")
    saved = anna.get(anna.send(signal_id, "claim").location).text
    old = {name: hidden_value(saved, name) for name in ("csrf_token", "version")}
    Browser(desk, "bram").send(signal_id, "notes", text="Ik ken deze straat.")
    refused = anna.client.post(f"/desk/signals/{signal_id}/undo", data=old)
    assert refused.status_code == 412
    assert "Dit kan niet meer ongedaan worden gemaakt" in words(refused)
    assert "Iemand heeft het signaal intussen gewijzigd" in words(refused)
    assert signal_of(desk, signal_id).state is SignalState.CLAIMED


def test_only_the_person_who_saved_sees_the_button(desk: Desk) -> None:
    signal_id, anna = desk.arrive(), Browser(desk, "anna")
    address = anna.send(signal_id, "claim").location
    bram = Browser(desk, "bram")
    assert UNDO in words(anna.get(address))
    assert UNDO not in words(bram.get(address))
    assert bram.send(signal_id, "undo").status_code == 409


def test_a_program_undoes_its_last_change_once_and_in_the_version_that_it_read(desk: Desk) -> None:
    path = f"/signals/{desk.arrive()}"
    claimed = desk.call("anna", "POST", f"{path}/claim")
    stale = desk.call("anna", "POST", f"{path}/undo", headers={"If-Match": '"1"'})
    assert (stale.status_code, desk.call("bram", "POST", f"{path}/undo").status_code) == (412, 409)
    undone = desk.call("anna", "POST", f"{path}/undo", headers={"If-Match": claimed.headers["ETag"]})
    assert (undone.status_code, undone.get_json()["state"]) == (200, "new")
    again = desk.call("anna", "POST", f"{path}/undo")
    assert (again.status_code, again.get_json()["type"]) == (409, "urn:problem:signals:undo_over")
