"""Test the staff API from end to end, with its refusals and audit entries."""

import sqlite3
from contextlib import closing
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from privacy.keystore import Keystore
from signals.vocabulary import AuditAction
from tests.support.damage import damage_case_key
from tests.support.desk_side import AMSTERDAM, Desk
from tests.support.pages import Browser
from tests.support.staff_api import code_of, fields_of, post, problem

NOTE = "Mevrouw is dinsdag thuis."


ATTEMPT = {
    "kind": "visit",
    "result": "contact",
    "attempted_at": "2026-11-24T10:00:00+01:00",
    "workers": 2,
}


QUEUE_FIELDS = {"restricted_on",
    "id", "reference", "state", "concern_types", "received_on", "claim_by", "contact_by", "conclude_by",
    "postponed_until", "overdue", "claimed_by", "repeat", "source", "version",
}  # fmt: skip


@pytest.fixture
def signal_id(desk: Desk) -> UUID:
    """Return a new signal of Amsterdam's team."""
    return desk.arrive(concern_types=["frail", "not_seen"], seen="once")


def test_a_signal_is_claimed_attempted_noted_notified_concluded_and_reopened(
    desk: Desk, signal_id: UUID
) -> None:
    claimed = post(desk, "anna", signal_id, "claim", headers={"If-Match": '"1"'})
    assert (claimed.status_code, claimed.headers["ETag"]) == (200, '"2"')
    assert claimed.get_json()["state"] == "claimed"
    assert post(desk, "anna", signal_id, "contact-attempts", json=ATTEMPT).status_code == 201
    assert post(desk, "anna", signal_id, "notes", json={"text": NOTE}).status_code == 201
    assert post(desk, "anna", signal_id, "notice", json={"notified_on": "2026-11-24"}).status_code == 201
    concluded = post(
        desk, "anna", signal_id, "conclude", json={"outcome": "talk_sufficed", "newly_known": True}
    )
    assert concluded.status_code == 200
    opened = concluded.get_json()
    assert (opened["state"], opened["outcome"], opened["newly_known"]) == ("concluded", "talk_sufficed", True)
    assert [note["text"] for note in opened["notes"]] == [NOTE]
    assert opened["contact_attempts"][0]["attempted_at"] == "2026-11-24T09:00:00Z"
    assert opened["notice"] == {"notified_on": "2026-11-24", "deferred_because": None}
    reopened = post(desk, "anna", signal_id, "reopen", json={"reason": "new_information"}).get_json()
    assert (reopened["state"], reopened["outcome"]) == ("in_follow_up", None)
    assert [change["action"] for change in reopened["history"]] == [
        "arrive", "claim", "record_attempt", "notify", "conclude", "reopen",
    ]  # fmt: skip


def test_the_queue_shows_the_concern_and_never_an_address(desk: Desk, signal_id: UUID) -> None:
    answer = desk.call("anna", "GET", "/queue?state=&sort=deadline&limit=25&cursor=")
    (item,) = answer.get_json()["items"]
    assert set(item) == QUEUE_FIELDS
    assert set(item["concern_types"]) == {"frail", "not_seen"}
    assert "1012AB" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("state=nonsense", "state"),
        ("sort=name", "sort"),
        ("limit=0", "limit"),
        ("limit=1&limit=2", "limit"),
        ("state=new&state=claimed", "state"),
        ("limit=101", "limit"),
        ("limit=2.5", "limit"),
        ("limit=%00", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=%00", "cursor"),
        ("status=new", "status"),
    ],
)
def test_a_bad_value_in_the_query_is_named(desk: Desk, query: str, field: str) -> None:
    assert fields_of(desk.call("anna", "GET", f"/queue?{query}")) == {field}


@pytest.mark.parametrize(
    ("asked", "title", "message"),
    [
        ("nl", "Er klopt nog iets niet", "Dit valt buiten"),
        ("pl", "Something in the form", "This lies outside"),
        ("pl, nl;q=0.5", "Er klopt nog iets niet", "Dit valt buiten"),
        ("", "Er klopt nog iets niet", "Dit valt buiten"),
    ],
)
def test_an_error_is_in_one_language_of_the_desk(desk: Desk, asked: str, title: str, message: str) -> None:
    """Carriers share some words, which were Polish beside English ones."""
    headers = {"Accept-Language": asked} if asked else {}
    problem = desk.call("anna", "GET", "/queue?limit=900", headers=headers).get_json()
    assert problem["title"].startswith(title)
    assert problem["errors"][0]["message"].startswith(message)


def test_a_signal_in_the_clear_has_address_observation_and_version(desk: Desk, signal_id: UUID) -> None:
    answer = desk.call("anna", "GET", f"/signals/{signal_id}")
    body = answer.get_json()
    assert answer.headers["ETag"] == '"1"'
    assert body["address"] == {"postcode": "1012AB", "house_number": 12, "addition": ""}
    assert (body["seen"], body["note"], body["noticed_on"]) == ("once", None, None)
    assert set(body) > QUEUE_FIELDS


def test_the_audit_entry_is_there_although_the_content_could_not_be_opened(
    desk: Desk, signal_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object) -> None:
        raise OperationalError("SELECT", {}, Exception("keystore away"))

    monkeypatch.setattr(Keystore, "keys_for", away)
    answer = desk.call("anna", "GET", f"/signals/{signal_id}")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "1012AB" not in answer.get_data(as_text=True)
    (entry,) = desk.entries(AuditAction.SIGNAL_OPENED)
    assert entry.subject_id == signal_id


def test_without_an_audit_entry_no_content_is_shown(
    desk: Desk, signal_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "INSERT INTO audit_entries" in statement:
            raise OperationalError("INSERT", {}, Exception("disk full"))

    opened: list[object] = []
    event.listen(desk.engine, "before_cursor_execute", refuse)
    monkeypatch.setattr("signals.casework.access.open_report", lambda *args: opened.append(args))
    assert desk.call("anna", "GET", f"/signals/{signal_id}").status_code == 503
    assert opened == []


@pytest.mark.parametrize("lost", ["destroyed", "damaged"])
def test_a_lost_case_key_makes_its_signal_unreadable_and_no_other(
    desk: Desk, signal_id: UUID, lost: str
) -> None:
    (key_id,) = desk.keystore.case_key_ids()
    desk.arrive(number=14, concern_types=["frail"])
    if lost == "destroyed":
        desk.keystore.destroy_case_keys([key_id])
    else:
        damage_case_key(desk.settings, key_id)
    assert "Onleesbaar" in Browser(desk, "anna").get("/desk").text
    answer = desk.call("anna", "GET", f"/signals/{signal_id}")
    assert answer.status_code == 410
    assert code_of(answer) == "content_gone"
    items = desk.call("anna", "GET", "/queue").get_json()["items"]
    of_lost = {item["id"] == str(signal_id): item["concern_types"] for item in items}
    assert of_lost == {True: [], False: ["frail"]}


@pytest.mark.parametrize(
    ("method", "what", "body"),
    [
        ("GET", "", None),
        ("POST", "/claim", None),
        ("POST", "/release", None),
        ("POST", "/reopen", None),
        ("POST", "/contact-attempts", ATTEMPT),
        ("POST", "/notes", {"text": NOTE}),
        ("POST", "/notice", {"notified_on": "2026-11-24"}),
        ("POST", "/conclude", {"outcome": "no_concern"}),
    ],
)
def test_a_signal_of_another_organisation_looks_like_none(
    desk: Desk, signal_id: UUID, method: str, what: str, body: object
) -> None:
    unknown = uuid4()
    answers = [
        desk.call("gerda", method, f"/signals/{wanted}{what}", json=body) for wanted in (signal_id, unknown)
    ]
    told = [problem(answer) for answer in answers]
    for body_told in told:
        assert body_told.pop("instance")
    assert [answer.status_code for answer in answers] == [404, 404]
    assert told[0] == told[1]
    assert [header for header, _ in answers[0].headers] == [header for header, _ in answers[1].headers]
    assert {entry.subject_id for entry in desk.entries(AuditAction.FOREIGN_SIGNAL_REFUSED)} == {
        signal_id,
        unknown,
    }
    assert desk.entries(AuditAction.SIGNAL_OPENED) == []


@pytest.mark.parametrize("wrong", ["1", "x", "00000000", "%00", "..%2f"])
def test_an_id_that_is_no_uuid_is_not_found(desk: Desk, wrong: str) -> None:
    assert desk.call("anna", "GET", f"/signals/{wrong}").status_code == 404


@pytest.mark.parametrize("what", ["release", "reopen"])
def test_an_action_that_the_state_forbids_is_a_conflict(desk: Desk, signal_id: UUID, what: str) -> None:
    refused = post(desk, "anna", signal_id, what)
    assert (refused.status_code, code_of(refused)) == (409, "state_forbids")


@pytest.mark.parametrize("sent", ["1", '"1"', "*"])
def test_a_version_that_fits_is_taken_with_and_without_quotes(desk: Desk, signal_id: UUID, sent: str) -> None:
    assert post(desk, "anna", signal_id, "claim", headers={"If-Match": sent}).status_code == 200


@pytest.mark.parametrize("sent", ["2", '"2"', '"other"', "999999999"])
def test_a_stale_version_is_refused_and_changes_nothing(desk: Desk, signal_id: UUID, sent: str) -> None:
    refused = post(desk, "anna", signal_id, "claim", headers={"If-Match": sent})
    assert (refused.status_code, code_of(refused)) == (412, "stale_version")
    assert desk.call("anna", "GET", f"/signals/{signal_id}").get_json()["state"] == "new"


@pytest.mark.parametrize("sent", ['W/"1"', '"1", "2"', "one", "-1", '"1', "9" * 40, "", " ", '"\xe9"'])
def test_a_version_that_is_none_is_named(desk: Desk, signal_id: UUID, sent: str) -> None:
    assert fields_of(post(desk, "anna", signal_id, "claim", headers={"If-Match": sent})) == {"If-Match"}


@pytest.mark.parametrize("text", ["", " \n"])
def test_a_note_without_words_is_missing_and_not_too_long(desk: Desk, signal_id: UUID, text: str) -> None:
    post(desk, "anna", signal_id, "claim")
    (wrong,) = problem(post(desk, "anna", signal_id, "notes", json={"text": text}))["errors"]
    assert (wrong["field"], wrong["code"]) == ("text", "required")


def test_a_note_is_neither_stored_readable_nor_repeated(desk: Desk, signal_id: UUID) -> None:
    answer = post(desk, "anna", signal_id, "notes", json={"text": NOTE})
    assert NOTE not in answer.get_data(as_text=True)
    with closing(sqlite3.connect(str(desk.engine.url.database))) as database:
        dumped = "\n".join(database.iterdump())
    assert "dinsdag" not in dumped
    assert b"dinsdag".hex().upper() not in dumped


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"text":"a","text":"b"}', b'{"text":"\\u0000"}', b"\xff"])
def test_a_malformed_body_is_refused(desk: Desk, signal_id: UUID, data: bytes) -> None:
    answer = post(desk, "anna", signal_id, "notes", data=data, content_type="application/json")
    assert answer.status_code == 400


def test_a_body_that_is_too_large_or_no_json_is_refused(desk: Desk, signal_id: UUID) -> None:
    large = post(desk, "anna", signal_id, "notes", json={"text": "x" * 70_000})
    form = post(desk, "anna", signal_id, "notes", data={"text": "x"})
    assert (large.status_code, form.status_code) == (413, 415)
    assert "64 KiB" in large.get_json()["detail"]


def test_the_api_shows_the_caller_with_the_organisation(desk: Desk) -> None:
    me = desk.call("lena", "GET", "/me").get_json()
    assert (me["name"], me["role"], me["organisation"]["name"]) == ("Lena Voorbeeld", "lead", AMSTERDAM)
    assert desk.call("coen", "GET", "/me").get_json()["organisation"] is None


def test_the_queue_shows_the_concern_only_after_an_audit_entry(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.arrive(concern_types=["confused"])

    def away(*_arguments: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(Keystore, "keys_for", away)
    assert desk.call("anna", "GET", "/queue").status_code == 500
    assert len(desk.entries(AuditAction.SUMMARIES_READ)) == 1
