"""A flood of guesses at the sign-in page: staff go on working, and the trail stays readable."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event, Lock
from typing import Any

import pytest

from signals.db import session_factory
from signals.staff.guesses import record_unknown
from signals.staff.new_passwords import AT_ONCE
from signals.vocabulary import AuditAction
from signals.web.staff_kit import auth
from tests.support.at_once import run_at_once
from tests.support.desk_side import BASE, Desk

GUESS = {"password": "het verkeerde woord", "totp": "000000"}


def test_a_process_checks_two_passwords_at_once_and_refuses_the_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixteen connections of guesses once took `/me` of staff from 26 ms to 9.9 s."""
    check, answered, lock = auth.check_password, Event(), Lock()
    statuses: list[int] = []
    checking: list[int] = [0, 0]  # now, and at most

    def slowly(*given: Any, **options: Any) -> Any:
        with lock:
            checking[0] += 1
            checking[1] = max(checking)
        answered.wait(60)
        with lock:
            checking[0] -= 1
        return check(*given, **options)

    def guess(number: int) -> Callable[[], None]:
        def send() -> None:
            client = desk.app.test_client()
            body = GUESS | {"email": f"guess{number}@example.org"}
            status = client.post(f"{BASE}/sessions", json=body).status_code
            with lock:
                statuses.append(status)
                if statuses.count(429) == 8 - AT_ONCE:
                    me = client.get(f"{BASE}/me", headers=desk.people["anna"].bearer)
                    assert me.status_code == 200
                    answered.set()

        return send

    monkeypatch.setattr(auth, "check_password", slowly)
    run_at_once(*(guess(number) for number in range(8)))
    assert checking[1] == AT_ONCE
    assert sorted(statuses) == [401] * AT_ONCE + [429] * (8 - AT_ONCE)


def test_guesses_at_unknown_addresses_are_one_entry_an_hour(desk: Desk) -> None:
    """They once wrote an entry each: 517 of them in a test."""
    for number in range(3):
        body = GUESS | {"email": f"guess{number}@example.org"}
        assert desk.client.post(f"{BASE}/sessions", json=body).status_code == 401
    assert _record(desk) == 0
    assert desk.entries(AuditAction.SIGN_IN_FAILED) == []
    desk.clock.moment += timedelta(hours=1)
    assert [_record(desk), _record(desk)] == [1, 0]
    (entry,) = desk.entries(AuditAction.SIGN_IN_FAILED)
    assert (entry.ground, entry.actor_id, entry.subject_id) == ("unknown_addresses:3", None, None)
    assert entry.at.minute == 0


def _record(desk: Desk) -> int:
    with session_factory(desk.engine).begin() as session:
        return record_unknown(desk.operation(session))
