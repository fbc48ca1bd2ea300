"""Test proofs without sign-in, escalations, Twilio's calls and the figures."""

import json
import re
import sqlite3
import uuid
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notifications.callbacks import PATH
from notifications.figures import count_messages
from notifications.models import DeliveryCallback, OutboxMessage
from notifications.outbox import enqueue
from signals.db import session_factory
from signals.models import Drill, Organisation, Recipient
from signals.notices.drills import Drills
from signals.organisations.recipients import ask_for_proof
from signals.organisations.verification_links import PREFIX, path_codes
from signals.settings import TwilioSettings
from signals.staff.accounts import add_staff
from signals.vocabulary import OrganisationKind, Role
from signals.web.http.metrics import Figures, serve_metrics
from tests.notifications.building import new_message
from tests.support.desk_side import AMSTERDAM, PASSWORD, QUICK, Desk
from tests.support.installations import MakeApp

TOKEN = "het token van de rekening"
SITE = "https://signalen.example"


@pytest.fixture
def drill(desk: Desk) -> Drill:
    """Send a drill to Amsterdam."""
    practice = Drills(public_url=SITE)
    with session_factory(desk.engine).begin() as session:
        team = session.scalars(select(Organisation.id).where(Organisation.name == AMSTERDAM)).one()
        practice.send(desk.operation(session), organisation_ids=[team])
        return session.scalars(select(Drill)).one()


def page_of(desk: Desk, drill: Drill) -> str:
    path = f"{PREFIX}/drill/{drill.id}"
    return f"{path}/{path_codes(desk.keystore).code(path)}"


def answered_on(desk: Desk, drill: Drill) -> object:
    with Session(desk.engine) as session:
        return session.get_one(Drill, drill.id).answered_on


# Drills


def test_following_the_link_proves_nothing_because_mail_scanners_do_it(desk: Desk, drill: Drill) -> None:
    for method in ("GET", "HEAD"):
        assert desk.client.open(page_of(desk, drill), method=method).status_code == 200
    assert answered_on(desk, drill) is None


def test_pressing_the_button_once_or_twice_proves_the_channel(desk: Desk, drill: Drill) -> None:
    assert [desk.client.post(page_of(desk, drill)).status_code for _ in range(2)] == [200, 200]
    assert answered_on(desk, drill) is not None


def test_the_page_names_nobody_and_no_browser_stores_it(desk: Desk, drill: Drill) -> None:
    for answer in (desk.client.get(page_of(desk, drill)), desk.client.post(page_of(desk, drill))):
        page = answer.get_data(as_text=True)
        assert "Amsterdam" not in page
        assert "@" not in page
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_wrong_code_and_an_unknown_drill_are_refused_alike(desk: Desk, drill: Drill, method: str) -> None:
    unknown = f"{PREFIX}/drill/{uuid.UUID(int=1)}"
    paths = [f"{PREFIX}/drill/{drill.id}/{'A' * 22}", f"{unknown}/{path_codes(desk.keystore).code(unknown)}"]
    answers = [desk.client.open(path, method=method) for path in paths]
    assert [answer.status_code for answer in answers] == [410, 410]
    assert answers[0].data == answers[1].data
    assert answered_on(desk, drill) is None


@pytest.mark.parametrize(
    ("language", "words"), [("nl", "Leest u deze berichten?"), ("en", "Do you read these messages?")]
)
def test_the_page_speaks_the_readers_language(desk: Desk, drill: Drill, language: str, words: str) -> None:
    answer = desk.client.get(page_of(desk, drill), headers={"Accept-Language": language})
    assert words in answer.get_data(as_text=True)


# Recipients


def test_a_recipient_counts_once_the_button_was_pressed(desk: Desk) -> None:
    with session_factory(desk.engine).begin() as session:
        recipient = session.scalars(select(Recipient)).first()
        assert recipient is not None
        recipient.verified_on = None
        session.flush()
        ask_for_proof(desk.operation(session), public_url=SITE)
        path = session.scalars(select(OutboxMessage)).one().values["link"].removeprefix(SITE)
    link = f"{path}/{path_codes(desk.keystore).code(path)}"
    assert desk.client.get(link).status_code == 200
    assert _verified(desk, recipient.id) is None
    assert desk.client.post(link).status_code == 200
    assert _verified(desk, recipient.id) is not None
    assert desk.client.post(f"{path}/{'A' * 22}").status_code == 410


def test_a_deputy_counts_once_the_button_was_pressed(desk: Desk) -> None:
    with session_factory(desk.engine).begin() as session:
        session.get_one(Organisation, _organisation(desk)).deputy_email = "lies@example.org"
        session.flush()
        ask_for_proof(desk.operation(session), public_url=SITE)
        path = session.scalars(select(OutboxMessage)).one().values["link"].removeprefix(SITE)
    link = f"{path}/{path_codes(desk.keystore).code(path)}"
    page = desk.client.get(link).get_data(as_text=True)
    assert "Dan komt hier bericht als een melding van het team te lang blijft liggen." in page
    assert not {"lies", AMSTERDAM} & set(re.split(r"[^\w ]", page))
    assert _deputy_since(desk) is None
    assert desk.client.post(link, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert _deputy_since(desk) is None
    assert desk.client.post(link).status_code == 200
    assert _deputy_since(desk) is not None


@pytest.mark.parametrize("role", ["recipient", "deputy", "lead"])
def test_a_link_of_one_kind_opens_no_other(desk: Desk, role: str) -> None:
    path = f"{PREFIX}/{role}/{_organisation(desk)}/00000000/2027-01-01"
    unknown = desk.client.get(f"{path}/{path_codes(desk.keystore).code(path)}")
    assert unknown.status_code == (404 if role == "lead" else 410)


def _deputy_since(desk: Desk) -> object:
    with Session(desk.engine) as session:
        return session.get_one(Organisation, _organisation(desk)).deputy_verified_on


def _verified(desk: Desk, recipient_id: uuid.UUID) -> object:
    with Session(desk.engine) as session:
        return session.get_one(Recipient, recipient_id).verified_on


# Escalations


def test_a_deputy_reads_the_instructions_without_signing_in(desk: Desk) -> None:
    with Session(desk.engine) as session, session.begin():
        session.get_one(Organisation, _organisation(desk)).contact_phone = "020 555 01 23"
    page = desk.app.test_client().get(f"/desk/deputy/{_organisation(desk)}")
    assert page.status_code == 200
    for said in (AMSTERDAM, "020 555 01 23", "U ziet het signaal zelf niet"):
        assert said in page.text
    assert "Lena" not in page.text
    assert desk.app.test_client().get(f"/desk/deputy/{uuid.uuid4()}").status_code == 404


def test_the_lead_of_the_national_desk_sees_the_organisation_to_call(desk: Desk) -> None:
    answer = _manager(desk).get(f"/desk/escalations/{_organisation(desk)}")
    assert answer.status_code == 200
    assert AMSTERDAM in answer.get_data(as_text=True)


def _organisation(desk: Desk) -> uuid.UUID:
    with Session(desk.engine) as session:
        return session.scalars(select(Organisation.id).where(Organisation.name == AMSTERDAM)).one()


def _manager(desk: Desk) -> FlaskClient:
    import pyotp

    with session_factory(desk.engine).begin() as session:
        national = select(Organisation.id).where(Organisation.kind == OrganisationKind.NATIONAL)
        new = add_staff(
            desk.operation(session),
            organisation_id=session.scalars(national).one(),
            role=Role.LEAD,
            name="Noor Voorbeeld",
            email="noor@example.org",
            password=PASSWORD,
            language="nl",
            hasher=QUICK,
        )
    browser = desk.app.test_client()
    code = pyotp.TOTP(new.totp_secret).at(desk.clock.moment)
    browser.post("/desk/sign-in", data={"email": "noor@example.org", "password": PASSWORD, "totp": code})
    return browser


# Twilio's calls


def with_twilio(make_app: MakeApp, desk: Desk, folder: Path) -> FlaskClient:
    file = folder / "twilio.token"
    file.write_text(f"{TOKEN}\n")
    twilio = TwilioSettings(account_sid="AC1", auth_token_file=file, messaging_service_sid="MG1")
    server = replace(desk.settings.server, public_url=SITE)
    settings = replace(desk.settings, twilio=twilio, server=server)
    return make_app(settings).test_client()


def call(client: FlaskClient, *, token: str = TOKEN) -> int:
    from twilio.request_validator import RequestValidator

    query = f"message={uuid.UUID(int=7)}"
    form = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30003"}
    signed = RequestValidator(token).compute_signature(f"{SITE}{PATH}?{query}", form)
    # The proxy calls its own host and scheme, and the signature covers the public address.
    answer = client.post(
        f"{PATH}?{query}",
        data=form,
        headers={"X-Twilio-Signature": signed},
        base_url="http://desk.internal:8000",
    )
    return answer.status_code


def test_a_signed_call_is_taken_behind_a_proxy(make_app: MakeApp, desk: Desk, tmp_path: Path) -> None:
    assert call(with_twilio(make_app, desk, tmp_path)) == 204
    assert call(with_twilio(make_app, desk, tmp_path)) == 204
    with Session(desk.engine) as session:
        noted = session.scalars(select(DeliveryCallback)).one()
    assert (noted.message_id, noted.status, noted.code) == (uuid.UUID(int=7), "undelivered", 30003)


def test_a_call_with_a_wrong_signature_is_refused(make_app: MakeApp, desk: Desk, tmp_path: Path) -> None:
    assert call(with_twilio(make_app, desk, tmp_path), token="geraden") == 403
    with Session(desk.engine) as session:
        assert session.scalar(select(func.count()).select_from(DeliveryCallback)) == 0


def test_without_credentials_there_is_no_such_address(desk: Desk) -> None:
    assert call(desk.client) == 404


# Figures


def _count(desk: Desk) -> None:
    with session_factory(desk.engine).begin() as session:
        enqueue(session, [new_message(not_before=desk.clock.now())])
        count_messages(session, desk.clock)


def test_the_desk_answers_with_figures_of_no_area(desk: Desk) -> None:
    _count(desk)
    answer = desk.client.get("/metrics")
    text = answer.get_data(as_text=True)
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert 'signals_messages{channel="memory",problem="",state="queued"} 1.0' in text
    assert "organisation" not in text
    assert str(uuid.UUID(int=1000)) not in text


def test_the_figures_do_not_wait_for_a_writer(desk: Desk) -> None:
    _count(desk)
    database = desk.engine.url.database
    assert database
    with closing(sqlite3.connect(database, isolation_level=None)) as writer, ThreadPoolExecutor(1) as pool:
        writer.execute("BEGIN IMMEDIATE")
        answer = pool.submit(desk.client.get, "/metrics")
        answered, _ = wait([answer], timeout=10)
        writer.execute("ROLLBACK")
    assert answered
    assert answer.result().status_code == 200


def test_a_worker_answers_on_a_port_of_its_own(desk: Desk) -> None:
    _count(desk)

    def away() -> None:
        raise OSError

    checks = {"database": lambda: None, "keystore": away}
    server = serve_metrics(
        Figures(sessions=session_factory(desk.engine), clock=desk.clock, reads_intake=True),
        checks,
        host="127.0.0.1",
        port=0,
    )
    base = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        with urlopen(f"{base}/metrics", timeout=5) as answer:
            assert b'state="queued"} 1.0' in answer.read()
        with urlopen(f"{base}/healthz", timeout=5) as answer:
            assert json.load(answer)["status"] == "ok"
        with pytest.raises(HTTPError) as not_ready:
            urlopen(f"{base}/readyz", timeout=5)
        assert not_ready.value.code == 503
        assert json.load(not_ready.value) == {"status": "unavailable", "failed": ["keystore"]}
        not_ready.value.close()
        with pytest.raises(HTTPError) as refused:
            urlopen(f"{base}/elsewhere", timeout=5)
        refused.value.close()
    finally:
        server.shutdown()
        server.server_close()
