"""The setting that refuses reports which the sender did not seal, in the API and in the form."""

import pytest
from flask.testing import FlaskClient

from signals.models import SealedReport
from signals.settings import IntakeSettings
from signals.vocabulary import LANGUAGES, ClearReports
from tests.support.front_pages import GOOD, post
from tests.support.phone import Phone
from tests.support.public_api import assert_problem, send
from tests.support.world import World, report

REFUSE = IntakeSettings(clear_reports=ClearReports.REFUSE)


@pytest.fixture
def strict(sqlite_world: World) -> FlaskClient:
    return sqlite_world.client(intake=REFUSE)


def test_the_api_refuses_a_clear_report_in_each_language_and_takes_a_sealed_one(
    sqlite_world: World, strict: FlaskClient
) -> None:
    answers = [send(strict, accept_language=code) for code in LANGUAGES]
    for answer in answers:
        assert_problem(answer, 400, "clear_report_refused")
    assert len({answer.get_json()["detail"] for answer in answers}) == len(LANGUAGES)
    assert sqlite_world.count(SealedReport) == 0
    root = sqlite_world.keystore.root_public_key()
    assert root
    phone = Phone(strict, root)
    assert phone.send(phone.seal(report())).status_code == 201


def test_the_form_says_before_and_after_that_it_needs_a_script(strict: FlaskClient) -> None:
    words = "JavaScript aan staat"
    empty = strict.get("/", headers={"Accept-Language": "nl"}).text
    assert words in empty.split("<noscript>")[1].split("</noscript>")[0]
    answer = post(strict, GOOD)
    assert answer.status_code == 400
    assert words in answer.text


def test_a_retry_of_an_accepted_clear_report_gets_its_answer(
    sqlite_world: World, strict: FlaskClient
) -> None:
    first = send(sqlite_world.client())
    assert send(strict).data == first.data
