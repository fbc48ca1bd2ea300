"""The issuer over HTTP: keys by week, tokens for codes, and nothing stored about a phone."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from privacy.sealing import EnvelopeRefused
from privacy.secret_files import write_new_secret_file
from privacy.tokens import Token, TokenKey, challenge
from signals.app import close_app, create_app, open_issuer
from signals.clock import FixedClock
from signals.errors import ClockApart
from signals.issuer.codes import TokensGone, add_code, revoke_code
from signals.issuer.service import Issuer
from signals.issuer.tables import CodeDay, WeekKey
from signals.settings import Settings
from signals.vocabulary import Environment, ProcessRole
from tests.support.at_once import run_at_once
from tests.support.token_client import Pending
from tests.support.token_side import issuer_in, key_of

TUESDAY = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
MONDAY = date(2026, 11, 23)
CHALLENGE = challenge(issuer="issuer.example.org", origin="signalen.example.org")


@dataclass(kw_only=True)
class Site:
    """An issuer of its own, with one code for one phone."""

    client: FlaskClient
    issuer: Issuer
    clock: FixedClock
    code: str
    code_id: Any

    def ask(self, code: str | None = None, pending: Pending | None = None) -> Any:
        """Ask for one token."""
        wanted = pending or Pending.new(self.key(), CHALLENGE)
        headers = {
            "X-Enrolment-Code": self.code if code is None else code,
            "User-Agent": "a phone",
            "X-Forwarded-For": "192.0.2.1",
        }
        return self.client.post(
            "/token-request",
            data=wanted.request,
            content_type="application/private-token-request",
            headers=headers,
        )

    def key(self, week: int = 0) -> TokenKey:
        return key_of(self.directory(), week)

    def directory(self) -> Any:
        return self.client.get("/.well-known/private-token-issuer-directory").get_json(force=True)

    def add(self, phones: int, days: int = 30) -> Any:
        with self.issuer.sessions.begin() as session:
            on = self.clock.now().date()
            return add_code(session, label="Depot Zuid", phones=phones, days=days, by="test", on=on)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    write_new_secret_file(tmp_path / "issuer.key")
    clock = FixedClock(TUESDAY)
    settings = Settings(
        role=ProcessRole.ISSUER,
        environment=Environment.TEST,
        data_folder=tmp_path,
        issuer=issuer_in(tmp_path),
    )
    app = create_app(settings, clock=clock)
    issuer = open_issuer(settings, clock)
    issuer.keep()
    made = Site(client=app.test_client(), issuer=issuer, clock=clock, code="", code_id=None)
    new = made.add(phones=1)
    made.code, made.code_id = new.code, new.id
    yield made
    close_app(app)
    issuer.engine.dispose()


def test_a_phone_gets_a_token_that_everybody_can_check(site: Site) -> None:
    key = site.key()
    pending = Pending.new(key, CHALLENGE)
    answer = site.ask(pending=pending)
    assert (answer.status_code, answer.content_type) == (200, "application/private-token-response")
    Token.parse(pending.token(answer.data)).check(key.public_key)


def test_the_directory_has_this_week_and_four_more_and_pages_of_other_sites_may_read_it(site: Site) -> None:
    answer = site.client.get("/.well-known/private-token-issuer-directory")
    assert answer.content_type == "application/private-token-issuer-directory"
    keys = answer.get_json(force=True)["token-keys"]
    begins = [datetime.fromtimestamp(key["not-before"], UTC) + timedelta(hours=1) for key in keys]
    assert [begin.date() for begin in begins] == [MONDAY + timedelta(weeks=ahead) for ahead in range(5)]
    allowed = site.client.options("/token-request").headers
    assert allowed["Access-Control-Allow-Origin"] == "*"
    assert "X-Enrolment-Code" in allowed["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in allowed


def test_a_key_signs_in_its_own_week_only_and_is_destroyed_with_it(site: Site) -> None:
    past, ahead = site.key(), site.key(1)
    assert site.ask(pending=Pending.new(ahead, CHALLENGE)).status_code == 422
    site.clock.moment = TUESDAY + timedelta(weeks=1)
    site.issuer.keep()
    assert site.ask(pending=Pending.new(past, CHALLENGE)).status_code == 422
    assert site.ask(pending=Pending.new(ahead, CHALLENGE)).status_code == 200
    with site.issuer.sessions() as session:
        rows = {row.week: row for row in session.scalars(select(WeekKey))}
    assert rows[MONDAY].wrapped is None
    assert len(rows) == 6
    site.clock.moment = TUESDAY + timedelta(weeks=2)
    site.issuer.keep()
    assert MONDAY not in {key.week for key in site.issuer.keys.published(site.clock.now().date())}


def test_a_week_of_an_issuer_that_slept_begins_with_its_first_request(site: Site) -> None:
    code = site.add(phones=1, days=90).code
    site.clock.moment = TUESDAY + timedelta(weeks=9)
    assert site.ask(code).status_code == 200


def test_a_request_destroys_no_key_for_its_clock_was_not_compared(site: Site) -> None:
    site.clock.moment = TUESDAY + timedelta(weeks=9)
    site.client.get("/.well-known/private-token-issuer-directory")
    with site.issuer.sessions() as session:
        assert session.get_one(WeekKey, MONDAY).wrapped is not None


def test_under_a_wrong_clock_no_key_is_made_or_destroyed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signals.clock_guard.time_apart", lambda *_: timedelta(days=60))
    site.clock.moment = TUESDAY + timedelta(weeks=9)
    with pytest.raises(ClockApart):
        site.issuer.keep()
    with site.issuer.sessions() as session:
        assert session.get_one(WeekKey, MONDAY).wrapped is not None


def test_a_code_gives_eight_tokens_for_each_phone_and_day(site: Site) -> None:
    assert [site.ask().status_code for _ in range(9)] == [200] * 8 + [429]
    assert int(site.ask().headers["Retry-After"]) == (24 - 10) * 3600 - 1800
    site.clock.moment += timedelta(days=1)
    assert site.ask().status_code == 200


def test_sixteen_requests_at_once_get_no_ninth_token(site: Site) -> None:
    bodies = [Pending.new(site.key(), CHALLENGE).request for _ in range(16)]

    def sign(body: bytes) -> bool:
        try:
            return bool(site.issuer.sign(site.code, body))
        except TokensGone:
            return False

    assert sum(run_at_once(*[lambda body=body: sign(body) for body in bodies])) == 8


@pytest.mark.parametrize("code", ["", "XXXXX", "00000-00000-00000-00000"])
def test_an_unknown_code_gets_403(site: Site, code: str) -> None:
    assert site.ask(code=code).status_code == 403


def test_a_code_is_read_as_people_type_it(site: Site) -> None:
    assert site.ask(code=site.code.lower().replace("-", " ").replace("0", "o")).status_code == 200


def test_a_revoked_code_and_one_past_its_end_get_403_at_once(site: Site) -> None:
    short = site.add(phones=9, days=1)
    assert site.ask(code=short.code).status_code == 200
    with site.issuer.sessions.begin() as session:
        revoke_code(session, site.code_id, site.clock.now().date())
    assert site.ask().status_code == 403
    site.clock.moment += timedelta(days=2)
    assert site.ask(code=short.code).status_code == 403


@pytest.mark.parametrize("body", [b"", b"\x00\x02", bytes(259), bytes(300), b"\x00\x01" + bytes(257)])
def test_a_malformed_request_gets_422_and_costs_nothing(site: Site, body: bytes) -> None:
    answer = site.client.post(
        "/token-request",
        data=body,
        content_type="application/private-token-request",
        headers={"X-Enrolment-Code": site.code, "Accept": "*/*"},
    )
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    with site.issuer.sessions() as session:
        assert session.scalars(select(CodeDay)).all() == []


def test_it_keeps_counts_by_code_and_day_and_nothing_else_about_a_request(site: Site) -> None:
    for _ in range(3):
        site.ask()
    with site.issuer.sessions() as session:
        rows = session.execute(select(CodeDay.code_id, CodeDay.day, CodeDay.asked)).all()
        tables = session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
    assert rows == [(site.code_id, date(2026, 11, 24), 3)]
    assert set(tables) == {
        "administrator_sessions", "administrators", "code_days", "enrolment_codes", "week_keys",
    }  # fmt: skip
    site.clock.moment += timedelta(days=8)
    site.issuer.keep()
    with site.issuer.sessions() as session:
        assert session.scalars(select(CodeDay)).all() == []


def test_without_the_secret_nobody_reads_a_key_of_a_stolen_database(site: Site) -> None:
    thief = replace(site.issuer, secret=bytes(32))
    with pytest.raises(EnvelopeRefused):
        thief.keys.signer(site.key().id[-1], site.clock.now().date())


def test_the_role_serves_nothing_else(site: Site) -> None:
    for path in ("/", "/desk", "/figures", "/admin", "/api/v1/form"):
        assert site.client.get(path).status_code == 404
    assert site.client.get("/readyz").status_code == 200
