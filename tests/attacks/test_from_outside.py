"""Attack as a stranger with a browser or a program: SQL in every field, other hosts' names, frames.

The tests find the fields in the description of the API and in the forms that the pages show. So they try a
new field at once.
"""

import re
from typing import Final
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from notifications.models import OutboxMessage
from signals.models import StaffMember
from signals.web.staff_kit.auth import COOKIE
from tests.support.both_databases import BOTH
from tests.support.desk_side import BASE, PASSWORD, Desk
from tests.support.endpoints import ALLOWED, ENDS_A_SESSION
from tests.support.outsiders import Statements, client, headers_of, overheard, pages, secret_of

# Hosts and frames
ELSEWHERE: Final = "evil.example"


FOREIGN_NAMES: Final = {
    "Host": ELSEWHERE,
    "X-Forwarded-Host": ELSEWHERE,
    "X-Forwarded-Server": ELSEWHERE,
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Prefix": f"/{ELSEWHERE}",
    "X-Original-URL": f"/{ELSEWHERE}",
    "X-Rewrite-URL": f"/{ELSEWHERE}",
    "Forwarded": f"host={ELSEWHERE};proto=https",
    "Origin": f"https://{ELSEWHERE}",
}


def test_no_answer_repeats_a_host_that_a_header_names(desk: Desk) -> None:
    signal_id, wrong = desk.arrive(), []
    for who, path in (*pages(signal_id), ("-", "/desk"), ("-", "/nope"), ("-", f"{BASE}/openapi.json")):
        answer = client(desk).get(path, headers=FOREIGN_NAMES | headers_of(desk, who))
        # An employer signs in on the page itself.
        assert answer.status_code != 401 or path == "/issuer/", path
        # Everybody may read the description and an issuer's keys, and never with a browser's session.
        allowed = "*" if path.endswith(("/openapi.json", "-issuer-directory")) else None
        shared = {name: value for name, value in answer.headers if name.startswith("Access-Control-")}
        repeats = ELSEWHERE.encode() in answer.data + str(answer.headers).encode()
        shares = shared.pop("Access-Control-Allow-Origin", None)
        if (
            repeats
            or shares != allowed
            or (shared and (not allowed or any("Cred" in name for name in shared)))
        ):
            wrong.append(path)
    assert wrong == []


@pytest.mark.parametrize("path", ["/api//v1/form", f"{BASE}//form", "/desk//sign-in", "/static//page.css"])
def test_an_address_with_two_slashes_is_none_and_leads_nowhere(desk: Desk, path: str) -> None:
    answer = client(desk).get(path, headers=FOREIGN_NAMES)
    assert (answer.status_code, answer.headers.get("Location")) == (404, None)


def test_no_redirect_and_no_mail_leads_to_a_host_that_a_header_names(desk: Desk) -> None:
    """A link to recover an account that goes to another host would hand the account over."""
    form = {"email": "lena@example.org", "password": PASSWORD, "totp": desk.code("lena")}
    signed_in = client(desk).post("/desk/sign-in", data=form, headers=FOREIGN_NAMES)
    assert_leads_here(signed_in)
    (token,) = re.findall(rf"{COOKIE}=([^;]+)", "\n".join(signed_in.headers.getlist("Set-Cookie")))
    headers = {"Cookie": f"{COOKIE}={token}"}
    with Session(desk.engine) as session:
        anna = session.scalars(select(StaffMember.id).where(StaffMember.email == "anna@example.org")).one()
    path, secret = f"/desk/team/{anna}/recover", secret_of(headers)
    assert_leads_here(client(desk).post(path, data=secret, headers=FOREIGN_NAMES | headers))
    with Session(desk.engine) as session:
        mails = session.scalars(select(OutboxMessage)).all()
    assert mails
    assert ELSEWHERE not in repr([vars(mail) for mail in mails])


def assert_leads_here(answer: TestResponse) -> None:
    assert answer.status_code == 303
    assert re.match(r"/desk(?!/sign-in|/account/confirm)", answer.headers["Location"])
    assert ELSEWHERE not in str(answer.headers)


@BOTH
def test_a_guesser_is_not_another_one_under_another_address(desk: Desk) -> None:
    statuses = []
    for number in range(6):
        address = f"198.51.100.{number}"
        names = dict.fromkeys(("X-Forwarded-For", "X-Real-IP", "Client-IP", "True-Client-IP"), address)
        answer = desk.app.test_client().post(
            "/desk/sign-in",
            data={"email": "anna@example.org", "password": "het verkeerde woord", "totp": "000000"},
            headers=names | {"Forwarded": f"for={address}", "User-Agent": f"agent {number}"},
            environ_base={"REMOTE_ADDR": address},
        )
        statuses.append(answer.status_code)
    assert statuses[-1] == 429


def test_no_page_and_no_refusal_can_be_put_into_a_frame_or_run_what_is_not_ours(desk: Desk) -> None:
    signal_id, wrong = desk.arrive(), []
    refused = [
        ("-", "/nope"),
        ("-", "/desk/officer"),
        ("W", "/admin"),
        ("-", f"{BASE}/queue"),
        ("-", "/healthz"),
    ]
    for who, path in (*pages(signal_id), *refused):
        answer = client(desk).get(path, headers=headers_of(desk, who))
        answer.close()
        policy = {part.strip() for part in answer.headers.get("Content-Security-Policy", "").split(";")}
        held = {
            "default-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        } <= policy
        shut = answer.headers.get("X-Frame-Options") == "DENY" and "unsafe" not in str(sorted(policy))
        if not held or not shut or answer.headers.get("X-Content-Type-Options") != "nosniff":
            wrong.append(path)
    assert wrong == []


def test_no_form_of_staff_is_taken_without_the_secret_of_its_page(desk: Desk) -> None:
    """Every form of the staff side, sent by a signed-in browser without the secret that the page holds."""
    reached = {}
    for (method, rule), who in ALLOWED.items():
        if method == "GET" or rule.startswith("/api/") or who == "-" or rule in ENDS_A_SESSION:
            continue
        path = re.sub(r"<[^>]+>", lambda _part: str(uuid4()), rule)
        forged = {"csrf_token": "0" * 64}
        answer = client(desk).open(path, method=method, headers=headers_of(desk, who[0]), data=forged)
        if answer.status_code != 403:
            reached[method, rule] = answer.status_code
    assert reached == {}


# Listening: TLS hides what is said, and neither how long it is nor how long it takes
def shapes(statements: Statements) -> list[str]:
    """The statements without their values: what the database is asked to do."""
    return [statement for statement, _values in statements]


@BOTH
def test_a_receipt_never_issued_is_looked_for_like_one_that_was(desk: Desk) -> None:
    body = {"postcode": "1012AB", "house_number": 12}
    sent = desk.client.post(
        f"{BASE}/signals", json=body, headers={"Idempotency-Key": str(uuid4())}
    ).get_json()
    asked, sizes = [], set()
    for receipt in (sent["receipt"], "0000-0000-0000-0000", "", "no receipt at all"):
        with overheard() as statements:
            answer = desk.client.post(f"{BASE}/receipts/status", json={"receipt": receipt})
        asked.append(shapes(statements))
        sizes.add((answer.status_code, answer.content_length))
    assert asked[0]
    assert [each for each in asked if each != asked[0]] == []
    assert len(sizes) == 1


@BOTH
def test_the_lookup_treats_covered_and_uncovered_postcodes_alike(desk: Desk) -> None:
    asked, told = [], set()
    for postcode in ("1012AB", "9711AA", "4381AA", "1000AA"):
        desk.client.post(f"{BASE}/coverage/lookup", json={"postcode": postcode})  # whatever is kept, is kept
        with overheard() as statements:
            answer = desk.client.post(f"{BASE}/coverage/lookup", json={"postcode": postcode})
        asked.append(shapes(statements))
        told.add(answer.get_json()["covered"])
    assert told == {True, False}
    assert [each for each in asked if each != asked[0]] == []


@BOTH
def test_a_report_for_whoever_receives_it_is_stored_by_the_same_statements(desk: Desk) -> None:
    asked = []
    for postcode in ("1012AB", "9711AA", "4381AA", "1000AA"):
        _send(desk, postcode)  # the first of an organisation looks how many it had today
        with overheard() as statements:
            _send(desk, postcode)
        asked.append(shapes(statements))
    assert [each for each in asked[0] if "INSERT INTO idempotency_keys" in each]
    assert [each for each in asked if each != asked[0]] == []


@BOTH
def test_a_retry_is_answered_in_the_size_and_form_of_a_first_report(desk: Desk) -> None:
    key = str(uuid4())
    first, again, another = (_sent(desk, "1012AB", each) for each in (key, key, str(uuid4())))
    assert {answer.status_code for answer in (first, again, another)} == {201}
    assert first.data == again.data
    assert len(first.data) == len(another.data)
    assert [*first.headers] == [*again.headers] == [*another.headers]


def _send(desk: Desk, postcode: str) -> None:
    assert _sent(desk, postcode, str(uuid4())).status_code == 201


def _sent(desk: Desk, postcode: str, key: str) -> TestResponse:
    body = {"postcode": postcode, "house_number": 12}
    return desk.client.post(f"{BASE}/signals", json=body, headers={"Idempotency-Key": key})
