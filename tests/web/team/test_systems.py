"""A lead asks to connect a system, the privacy officer decides, and either of them ends it."""

import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from notifications.channels import Sent
from notifications.channels.webhook import CloudEvent, Webhook
from notifications.models import OutboxMessage
from signals.app import make_worker
from signals.models import Connection, StaffMember
from signals.models.connection import SystemKind
from signals.models.sealed import RowRefused
from signals.settings import NotificationsSettings
from signals.vocabulary import AuditAction
from tests.support.connected import connect
from tests.support.desk_side import Desk
from tests.support.pages import Browser, hidden_value, words

URL = {"url": "https://hooks.example.org/events"}
CASES = {
    "zaken_url": "https://zaken.example.org/zaken/api/v1",
    "documenten_url": "https://zaken.example.org/documenten/api/v1",
    "client_id": "deurpost",
    "rsin": "123456782",
    "zaaktype": "https://zaken.example.org/catalogi/api/v1/zaaktypen/1",
    "informatieobjecttype": "https://zaken.example.org/catalogi/api/v1/informatieobjecttypen/1",
}
PAGE = "/desk/systems"


def send(browser: Browser, path: str, page: str = PAGE, **fields: str) -> TestResponse:
    token = hidden_value(browser.get(page).text, "csrf_token")
    return browser.client.post(path, data={"csrf_token": token, **fields})


def decide(desk: Desk, who: str, answer: str) -> TestResponse:
    browser = Browser(desk, who)
    found = re.search(rf"/desk/approvals/[0-9a-f-]+/{answer}", browser.get("/desk/approvals").text)
    path = found[0] if found else f"/desk/approvals/{asked(desk)}/{answer}"
    return send(browser, path, "/desk/approvals")


def asked(desk: Desk) -> str:
    [request] = desk.call("lena", "GET", "/approvals").get_json()["items"]
    return str(request["id"])


def connected(desk: Desk) -> list[Any]:
    with Session(desk.engine) as session:
        return list(session.scalars(select(Connection)))


@pytest.mark.parametrize(("kind", "values"), [("zgw", CASES), ("webhook", URL)])
def test_a_system_is_connected_once_the_officer_approves(
    desk: Desk, kind: str, values: dict[str, str]
) -> None:
    assert send(Browser(desk, "lena"), f"{PAGE}/{kind}", **values).status_code == 303
    assert connected(desk) == []
    assert decide(desk, "fleur", "approve").status_code == 303
    [found] = connected(desk)
    assert (found.kind, found.settings) == (kind, values)
    changes = [entry.ground for entry in desk.entries(AuditAction.ORGANISATION_CHANGED)]
    assert changes == [f"connected:{kind}"]


def test_nobody_but_the_officer_approves(desk: Desk) -> None:
    send(Browser(desk, "lena"), f"{PAGE}/webhook", **URL)
    for who in ("lena", "bea", "floor"):
        answer = desk.call(who, "POST", f"/approvals/{asked(desk)}/approve")
        assert answer.status_code in (403, 404), who
    assert connected(desk) == []


def test_a_declined_system_stays_away(desk: Desk) -> None:
    send(Browser(desk, "lena"), f"{PAGE}/webhook", **URL)
    decide(desk, "fleur", "decline")
    assert connected(desk) == []


def test_another_system_replaces_the_first_when_it_is_approved(desk: Desk) -> None:
    connect(desk, SystemKind.WEBHOOK, URL)
    [before] = connected(desk)
    send(Browser(desk, "lena"), f"{PAGE}/webhook", url="https://elders.example.org/")
    decide(desk, "fleur", "approve")
    [after] = connected(desk)
    assert (after.settings["url"], after.id == before.id) == ("https://elders.example.org/", False)


@pytest.mark.parametrize("who", ["lena", "fleur"])
def test_lead_and_officer_each_disconnect_at_once(desk: Desk, who: str) -> None:
    connect(desk, SystemKind.WEBHOOK, URL)
    browser = Browser(desk, who)
    for _ in range(2):  # pressed twice
        assert send(browser, f"{PAGE}/webhook/disconnect").status_code == 303
    assert connected(desk) == []


def test_a_team_without_an_officer_cannot_ask(desk: Desk) -> None:
    with desk.begin() as operation:
        query = select(StaffMember).where(StaffMember.email == desk.people["fleur"].email)
        operation.session.scalars(query).one().disabled_at = operation.now
    assert send(Browser(desk, "lena"), f"{PAGE}/webhook", **URL).status_code == 409


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"zaken_url": "http://zaken.example.org"}, "https://"),
        ({"rsin": "123456789"}, "RSIN"),
        ({"client_id": ""}, "Fill in"),
        ({"zaaktype": "https://zaken.example.org/" + "a" * 500}, "shorter"),
    ],
)
def test_wrong_values_are_named_beside_their_field(desk: Desk, changes: dict[str, str], said: str) -> None:
    answer = send(Browser(desk, "lena"), f"{PAGE}/zgw", **CASES | changes)
    assert answer.status_code == 400
    assert said in " ".join(re.findall(r"utrecht-form-field-error-message.*?</p>", answer.text))


def test_only_the_lead_sees_the_secret_of_a_webhook(desk: Desk) -> None:
    connect(desk, SystemKind.WEBHOOK, URL)
    assert re.search(r"whsec_[A-Za-z0-9+/]{43}=", words(Browser(desk, "lena").get(PAGE)))
    assert "whsec_" not in Browser(desk, "fleur").get(PAGE).text
    [stored] = connected(desk)
    assert "whsec" not in str(vars(stored))


def test_a_row_that_somebody_wrote_into_the_database_connects_nothing(desk: Desk) -> None:
    connect(desk, SystemKind.WEBHOOK, URL)
    with desk.engine.begin() as connection:
        table = Connection.__table__
        connection.execute(table.update().values(settings={"url": "https://dief.example.org/"}))  # type: ignore[attr-defined]
    with desk.begin() as operation, pytest.raises(RowRefused):
        operation.session.scalars(select(Connection)).all()


def test_each_new_state_becomes_an_event_without_content(desk: Desk) -> None:
    own = connect(desk, SystemKind.WEBHOOK, URL)
    signal_id = desk.arrive(concern_types=["frail"])
    for what in ("claim", "release", "claim"):
        assert desk.call("anna", "POST", f"/signals/{signal_id}/{what}").status_code == 200
    with Session(desk.engine) as session:
        query = select(OutboxMessage).where(OutboxMessage.channel == "webhook")
        found = sorted(session.scalars(query), key=lambda one: one.recipient)
    assert [one.values["state"] for one in found] == ["new", "claimed", "new", "claimed"]
    assert {(one.subject_id, one.organisation_id) for one in found} == {(signal_id, own)}
    assert {frozenset(one.values) for one in found} == {frozenset({"link", "changed_on", "state"})}


def test_events_of_another_team_stay_with_it(desk: Desk) -> None:
    connect(desk, SystemKind.WEBHOOK, URL)
    desk.arrive("9711AA", 1)
    with Session(desk.engine) as session:
        assert session.scalars(select(OutboxMessage).where(OutboxMessage.channel == "webhook")).all() == []


def test_the_worker_posts_events_to_the_webhook(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(desk, SystemKind.WEBHOOK, URL)
    signal_id = desk.arrive()
    desk.call("anna", "POST", f"/signals/{signal_id}/claim")
    sent: list[tuple[str, CloudEvent]] = []

    def take(hook: Webhook, event: CloudEvent, _at: object) -> Sent:
        sent.append((hook.url, event))
        return Sent(provider_message_id=str(event.id))

    monkeypatch.setattr("signals.notices.systems.post_event", take)
    settings = replace(desk.settings, notifications=NotificationsSettings(mail_folder=None))
    worker = make_worker(settings, clock=desk.clock, engine=desk.engine)
    assert worker.deliver_to_systems().delivered == 1  # that of the arrival waits for its random delay
    worker.keystore.dispose()
    reference = desk.call("anna", "GET", f"/signals/{signal_id}").get_json()["reference"]
    data = {"id": str(signal_id), "reference": reference, "state": "claimed", "day": "2026-11-24"}
    assert [(url, event.data) for url, event in sent] == [(URL["url"], data)]
