"""Test that every form behind sign-in survives a lost session, for its writer only.

The forms come from the URL map and from the pages, so a new form is tested too.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from signals.models import StaffMember, StaffSession
from signals.staff.sessions import csrf_token
from signals.vocabulary import Role
from signals.web.staff_kit import auth, typed
from tests.support.chance import without_chance
from tests.support.desk_side import AMSTERDAM, PASSWORD, Desk
from tests.support.endpoints import LETTERS, PEOPLE, of_staff
from tests.support.pages import Browser, hidden_value, words
from tests.support.team_work import organisation_of

TYPED = 'Mevrouw zei: "kom <later> terug" & belde.'
IN_HTML = "Mevrouw zei: &#34;kom &lt;later&gt; terug&#34; &amp; belde."
CONTROLS = frozenset(("select", "textarea", "button", "input"))
LABELLED = {"label:text": "Notitie"}
_PARTS = {"part": "norms", "task": "deputy", "code": "C001", "kind": "events"}
ROLES = {PEOPLE[letter]: role for letter, role in LETTERS.items()}


class Forms(HTMLParser):
    """The POST forms of a page: names of the fields for people, and the hidden words, by address."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.filled_in: dict[str, set[str]] = {}
        self.words: dict[str, dict[str, str]] = {}
        self._action = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._action = named.get("action", "") if named.get("method") == "post" else ""
        name = named.get("name", "")
        if not self._action or not name:
            return
        if name.startswith((typed.LABEL, typed.CHOICES)):
            self.words.setdefault(self._action, {})[name] = named["value"]
        elif tag in CONTROLS and named.get("type") != "hidden" and "hidden" not in named:
            self.filled_in.setdefault(self._action, set()).add(name)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._action = ""


def posted_to(desk: Desk) -> list[tuple[str, str]]:
    """Return (address, sender) of every form behind sign-in, with ids that lead nowhere."""
    found = [one for one in of_staff(desk.app) if one.method == "POST" and not one.is_api]
    return [
        (
            re.sub("<(part|task|code|kind)>", lambda name: _PARTS[name[1]], one.path({})),
            _somebody(one.asked.roles),
        )
        for one in found
    ]


def pages(desk: Desk) -> Iterator[tuple[str, str]]:
    """Yield (address, reader) of every page without an id, and of pages with forms."""
    files = (".csv", ".pdf", ".zip", ".json")
    signal_id, ours = desk.arrive(), organisation_of(desk, AMSTERDAM)
    for one in of_staff(desk.app):
        if (
            one.method == "GET"
            and not one.is_api
            and "<" not in one.rule
            and not one.rule.endswith((*files, "/options"))
        ):
            yield one.rule, _somebody(one.asked.roles)
    Browser(desk, "lena").send(signal_id, "claim")
    yield f"/desk/signals/{signal_id}", "lena"
    yield f"/desk/signals/{signal_id}/refer", "lena"
    yield f"/admin/organisations/{ours}", "bea"
    yield f"/admin/organisations/{ours}/settings", "bea"


def lose(desk: Desk, who: str, path: str, **fields: str) -> TestResponse:
    """Send a form of this person in a browser without a session."""
    with desk.app.test_request_context():
        mark = auth.desk().browser_state.mark(_member(desk, who))
    form = {"csrf_token": csrf_token("a session that ended") + mark, **fields}
    return desk.app.test_client().post(path, data=form)


def lose_form(desk: Desk, who: str, path: str, page: str = "", **fields: str) -> TestResponse:
    """Fill in the form of a page and send it when the session is over."""
    return lose(desk, who, path, **Forms(Browser(desk, who).get(page or path).text).words[path], **fields)


def sign_in(desk: Desk, who: str, lost: TestResponse) -> tuple[FlaskClient, TestResponse]:
    """Fill in the form that a lost session leads to."""
    browser = desk.app.test_client()
    form = {"email": desk.people[who].email, "password": PASSWORD, "totp": desk.code(who)}
    return browser, browser.post("/desk/sign-in", data=form | {"kept": hidden_value(lost.text, "kept")})


def test_every_form_behind_sign_in_is_kept_for_its_writer(desk: Desk) -> None:
    lost_at = []
    for path, who in posted_to(desk):
        lost = lose(desk, who, path, text=TYPED, version="1", **LABELLED)
        _browser, back = sign_in(desk, who, lost)
        wanted = (f'action="{path}"', f'name="text" value="{IN_HTML}"', f'<dd class="typed">{IN_HTML}</dd>')
        if lost.status_code != 401 or not all(part in back.text for part in wanted):
            lost_at.append(path)
    assert len(posted_to(desk)) > 40
    assert lost_at == []


def test_nobody_else_reads_a_kept_form(desk: Desk) -> None:
    shown_at = []
    for path, who in posted_to(desk):
        lost = lose(desk, who, path, text=TYPED, **LABELLED)
        other = "bram" if who != "bram" else "anna"
        _browser, back = sign_in(desk, other, lost)
        told = any(word in without_chance(page.text) for page in (lost, back) for word in ("kom", "belde"))
        if told or "Hier wordt niets getoond" not in back.text:
            shown_at.append(path)
    assert shown_at == []


@pytest.mark.parametrize("secret", sorted(typed.SECRETS))
def test_a_form_with_a_secret_in_it_is_never_kept(desk: Desk, secret: str) -> None:
    kept_at = []
    for path, who in posted_to(desk):
        lost = lose(desk, who, path, text=TYPED, **LABELLED, **{secret: "geheim-123456"})
        if 'name="kept"' in lost.text or "geheim-123456" in lost.text or "geheim" in str(lost.headers):
            kept_at.append(path)
    assert kept_at == []


def test_every_form_leads_back_to_an_existing_page(desk: Desk) -> None:
    nowhere = []
    pages_there_are = {one.rule for one in of_staff(desk.app) if one.method == "GET"}
    with desk.app.test_request_context():
        urls = desk.app.url_map.bind("localhost")
        for path, _who in posted_to(desk):
            rule, _values = urls.match(typed.page_of(path), method="GET", return_rule=True)
            if rule.rule not in pages_there_are:
                nowhere.append(path)
    assert nowhere == []


def test_every_form_sends_the_labels_of_its_fields(desk: Desk) -> None:
    unlabelled, found = {}, 0
    for path, who in pages(desk):
        forms = Forms(Browser(desk, who).get(path).text)
        for action, names in forms.filled_in.items():
            known = forms.words.get(action, {})
            names -= typed.SECRETS | {"username"}
            found += bool(names)
            missing = {name for name in names if not known.get(f"{typed.LABEL}{name}")}
            if missing:
                unlabelled[path, action] = missing
    assert found >= 10
    assert unlabelled == {}


@pytest.mark.parametrize("choices", ["no JSON", "[]", '{"a": 1}'])
def test_forged_choices_are_ignored(desk: Desk, choices: str) -> None:
    lost = lose(desk, "anna", "/desk/absence", text=TYPED, **LABELLED, **{"choices:text": choices})
    assert f'<dd class="typed">{IN_HTML}</dd>' in sign_in(desk, "anna", lost)[1].text


def test_a_bare_button_is_pressed_again_on_its_page(desk: Desk) -> None:
    lost = lose(desk, "lena", f"/desk/team/{UUID(int=7)}/disable")
    assert lost.status_code == 401
    assert 'name="kept"' not in lost.text
    assert 'name="next" value="/desk/team"' in lost.text


def test_a_kept_form_expires_after_a_day(desk: Desk) -> None:
    lost = lose_form(desk, "anna", "/desk/absence", away_from="2026-12-01")
    desk.clock.moment += timedelta(days=1, seconds=1)
    assert "Hier wordt niets getoond" in words(sign_in(desk, "anna", lost)[1])


@pytest.mark.parametrize("address", ["/desk/sign-in", "/desk/passkey/sign-in"])
def test_a_missing_database_at_sign_in_keeps_the_form(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    def away(*_args: object, **_more: object) -> None:
        raise OperationalError("SELECT", {}, Exception("database away"))

    lost = lose_form(desk, "anna", "/desk/absence", away_from="2026-12-01")
    kept = hidden_value(lost.text, "kept")
    monkeypatch.setattr("signals.web.staff_kit.auth.check_password", away)
    monkeypatch.setattr("signals.web.account.link_pages.sign_in_with_passkey", away)
    form = {"email": "anna@example.org", "password": PASSWORD, "totp": "123456", "kept": kept}
    again = desk.app.test_client().post(address, data=form, base_url="http://localhost:8000")
    assert (again.status_code, again.headers["Retry-After"]) == (503, "30")
    assert hidden_value(again.text, "kept") == kept
    assert PASSWORD not in again.text
    assert "Nu even niet bereikbaar" in words(again)


@pytest.mark.parametrize("end", ["revoked", "expired", "idle"])
def test_a_form_survives_every_end_of_a_session(desk: Desk, end: str) -> None:
    anna = Browser(desk, "anna")
    field = hidden_value(anna.get("/desk/absence").text, "csrf_token")
    if end == "revoked":
        with Session(desk.engine) as session, session.begin():
            for one in session.scalars(select(StaffSession).where(StaffSession.kind == "page")):
                one.revoked_at = desk.clock.now()
    else:
        desk.clock.moment += timedelta(hours=13 if end == "expired" else 2)
    form = {"csrf_token": field, "away_from": "2026-12-01", "away_until": "2026-12-04", "cover_id": ""}
    form |= {"label:away_from": "Eerste dag"}
    lost = anna.client.post("/desk/absence", data=form)
    assert lost.status_code == 401
    browser, back = sign_in(desk, "anna", lost)
    again = {name: hidden_value(back.text, name) for name in ("csrf_token", "away_from", "away_until")}
    assert browser.post("/desk/absence", data=again).location.endswith("/desk/absence?done=alone")


def _somebody(roles: tuple[Role, ...]) -> str:
    return next(who for who, role in ROLES.items() if role in roles)


def _member(desk: Desk, who: str) -> UUID:
    with Session(desk.engine) as session:
        query = select(StaffMember.id).where(StaffMember.email == f"{who}@example.org")
        return session.scalars(query).one()


def test_a_note_on_a_deleted_signal_is_shown_once_and_not_stored(desk: Desk) -> None:
    browser = Browser(desk, "anna")
    token = hidden_value(browser.get("/desk/account").text, "csrf_token")
    form = {"csrf_token": token, "version": "1", "text": TYPED, **LABELLED}
    answer = browser.client.post(f"/desk/signals/{UUID(int=404)}/notes", data=form)
    assert answer.status_code == 404
    assert IN_HTML in answer.text
    assert "niet opgeslagen" in answer.text
    assert 'name="text"' not in answer.text  # nothing to be sent again
