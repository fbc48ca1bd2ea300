"""An employer's administrator makes, prints and revokes codes; nobody else opens these pages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from flask.testing import FlaskClient

from privacy.secret_files import write_new_secret_file
from signals.app import close_app, create_app, open_issuer
from signals.clock import FixedClock
from signals.issuer.administrators import NewAdministrator, add_administrator, remove_administrator
from signals.issuer.codes import list_codes
from signals.issuer.service import Issuer
from signals.settings import ServerSettings, Settings
from signals.vocabulary import Environment, ProcessRole
from tests.support.token_side import issuer_in
from tests.support.world import NOW

HERE = {"Origin": "http://127.0.0.1:8000"}


@dataclass(kw_only=True)
class Office:
    client: FlaskClient
    issuer: Issuer
    clock: FixedClock
    person: NewAdministrator

    def post(self, path: str, headers: dict[str, str] = HERE, **form: str) -> Any:
        return self.client.post(f"/issuer/{path}", data=form, headers=headers)

    def code(self) -> str:
        return pyotp.TOTP(self.person.totp_secret).at(self.clock.now())

    def sign_in(self, **wrong: str) -> Any:
        right = {"access_key": self.person.access_key, "code": self.code()}
        return self.post("sign-in", **right | wrong)

    def make(self, **wrong: str) -> Any:
        return self.post("codes", **{"label": "Depot Zuid", "phones": "40", "days": "90"} | wrong)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    write_new_secret_file(tmp_path / "issuer.key")
    clock = FixedClock(NOW)
    settings = Settings(
        role=ProcessRole.ISSUER,
        environment=Environment.TEST,
        data_folder=tmp_path,
        server=ServerSettings(public_url="http://127.0.0.1:8000"),
        issuer=replace(issuer_in(tmp_path), page_url="https://signalen.example.org"),
    )
    app, issuer = create_app(settings, clock=clock), open_issuer(settings, clock)
    issuer.keep()
    with issuer.sessions.begin() as session:
        person = add_administrator(session, issuer.secret, name="A. Bakker", issuer="Voorbeeld")
    yield Office(client=app.test_client(), issuer=issuer, clock=clock, person=person)
    close_app(app)
    issuer.engine.dispose()


def test_a_code_is_made_printed_and_revoked(office: Office) -> None:
    assert office.sign_in().status_code == 303
    made = office.make().get_data(as_text=True)
    code = re.search(r"[0-9A-Z]{5}(-[0-9A-Z]{5}){3}", made)
    assert code
    assert f"https://signalen.example.org/m#e={code[0]}&amp;i=127.0.0.1:8000" in made
    sheet = office.post("sheet", enrolment_code=code[0], size="a6")
    assert (sheet.content_type, sheet.data[:5]) == ("application/pdf", b"%PDF-")
    with office.issuer.sessions() as session:
        (row,) = list_codes(session)
    assert (row.label, row.phones, row.made_by) == ("Depot Zuid", 40, "A. Bakker")
    listed = office.client.get("/issuer/").get_data(as_text=True)
    assert "Depot Zuid" in listed
    assert code[0] not in listed
    assert office.post(f"codes/{row.id}/revoke").status_code == 303
    assert "Ingetrokken op" in office.client.get("/issuer/").get_data(as_text=True)


@pytest.mark.parametrize("field", ["label", "phones", "days"])
def test_a_field_that_is_not_right_gets_words_and_makes_nothing(office: Office, field: str) -> None:
    office.sign_in()
    answer = office.make(**{field: "" if field == "label" else "0"})
    assert answer.status_code == 400
    assert f'id="{field}-error"' in answer.get_data(as_text=True)
    with office.issuer.sessions() as session:
        assert list_codes(session) == []


def test_few_phones_get_a_warning(office: Office) -> None:
    office.sign_in()
    assert 'class="error"' in office.make(phones="4").get_data(as_text=True)


def test_nobody_gets_in_without_key_and_code_and_a_code_works_once(office: Office) -> None:
    for path in ("codes", f"codes/{NOW:%Y%m%d}-0000-0000-0000-000000000000/revoke", "sheet"):
        assert office.post(path).status_code == 401
    wrong_key = office.sign_in(access_key="00000-00000-00000-00000")
    wrong_code = office.sign_in(code="000000")
    assert (wrong_key.status_code, wrong_key.data) == (wrong_code.status_code, wrong_code.data)
    assert wrong_key.status_code == 401
    assert office.sign_in().status_code == 303
    office.post("sign-out")
    assert office.client.get("/issuer/").status_code == 401
    assert office.sign_in().status_code == 401  # the same code again


def test_ten_wrong_codes_shut_the_account(office: Office) -> None:
    for _ in range(10):
        office.sign_in(code="000000")
    assert office.sign_in().status_code == 401


def test_a_session_ends_after_an_hour_and_with_its_person(office: Office) -> None:
    office.sign_in()
    assert office.client.get("/issuer/").status_code == 200
    office.clock.moment += timedelta(minutes=61)
    assert office.client.get("/issuer/").status_code == 401
    office.sign_in()
    with office.issuer.sessions.begin() as session:
        remove_administrator(session, "A. Bakker")
    assert office.client.get("/issuer/").status_code == 401


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_a_form_of_another_site_is_refused(office: Office, headers: dict[str, str]) -> None:
    office.sign_in()
    assert office.post("codes", headers=headers, label="x", phones="9", days="9").status_code == 403
