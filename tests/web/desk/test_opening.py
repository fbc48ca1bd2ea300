"""Test what opening a signal costs the database: its transactions and their order."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from sqlalchemy import Engine, event

from tests.support.desk_side import Desk

FOLLOW_UP = ("contact_attempts", "follow_up_notes", "status_changes")


@contextmanager
def steps_of(engine: Engine) -> Iterator[list[str]]:
    """Collect the statements by their first word, and the ends of transactions."""
    steps: list[str] = []

    def asked(*arguments: object) -> None:
        steps.append(str(arguments[2]))

    def heard(what: str) -> Callable[..., None]:
        return lambda *_arguments: steps.append(what)

    listeners: list[tuple[str, Callable[..., None]]] = [
        (name, heard(name)) for name in ("begin", "commit", "rollback")
    ]
    listeners.append(("before_cursor_execute", asked))
    for name, listener in listeners:
        event.listen(engine, name, listener)
    try:
        yield steps
    finally:
        for name, listener in listeners:
            event.remove(engine, name, listener)


def transactions(steps: Iterable[str]) -> Iterator[list[str]]:
    """Split the steps into transactions; leave out the routing check, which runs once a second."""
    one: list[str] = []
    for step in steps:
        one = [] if step == "begin" else [*one, step]
        if step in ("commit", "rollback") and "routing_version" not in one[0]:
            yield one


def told(transaction: Iterable[str]) -> list[str]:
    """Summarise a transaction: entry written, content read, and its end."""
    said = {
        "INSERT INTO audit_entries": "entry",
        "SELECT audit_entries.id": "checked",
        "SELECT signals.id, signals.organisation_id": "sealed",
    }
    known = said | {"commit": "commit", "rollback": "rollback"}
    return [word for step in transaction for start, word in known.items() if step.startswith(start)]


@pytest.fixture
def signal_id(desk: Desk) -> UUID:
    return desk.arrive()


def test_an_opening_is_four_transactions_and_its_audit_entry_is_committed_first(
    desk: Desk, signal_id: UUID
) -> None:
    """Every transaction more lowers the number of openings on two cores."""
    with steps_of(desk.engine) as steps:
        assert desk.call("anna", "GET", f"/signals/{signal_id}").status_code == 200
    assert [told(transaction) for transaction in transactions(steps)] == [
        ["commit"],
        ["entry", "commit"],
        ["checked", "commit"],
        ["sealed", "commit"],
    ]


def test_follow_up_is_read_where_there_is_some_and_asked_for_nowhere_else(
    desk: Desk, signal_id: UUID
) -> None:
    with steps_of(desk.engine) as steps:
        new = desk.call("anna", "GET", f"/signals/{signal_id}").get_json()
    assert not [step for step in steps if step.startswith(tuple(f"SELECT {name}" for name in FOLLOW_UP))]
    assert (new["contact_attempts"], new["notes"], len(new["history"])) == ([], [], 1)
    desk.call("anna", "POST", f"/signals/{signal_id}/claim")
    desk.call("anna", "POST", f"/signals/{signal_id}/notes", json={"text": "Eerst."})
    desk.call("anna", "POST", f"/signals/{signal_id}/notes", json={"text": "Daarna."})
    opened = desk.call("bram", "GET", f"/signals/{signal_id}").get_json()
    assert [note["text"] for note in opened["notes"]] == ["Eerst.", "Daarna."]
    assert [change["action"] for change in opened["history"]] == ["arrive", "claim"]
    assert opened["contact_attempts"] == []
