"""A phone with the code of its depot gets tokens from an issuer at another address, and spends them."""

from datetime import timedelta

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import delete, select

from signals.clock import SystemClock, today
from signals.intake.content import open_summaries
from signals.issuer.administrators import add_administrator
from signals.issuer.codes import revoke_code
from signals.issuer.tables import CodeDay
from signals.models import SealedReport, SpentToken
from signals.vocabulary import Profession, Source
from tests.browser.carrier import SENT, MakePhone, Phone, Service
from tests.browser.depot import Depot

ENROLLED = "Uw depot is bekend: uw meldingen gelden als die van een bezorger."
STOCK = """async (name) => {
  const db = await signalsQueue.database();
  return name === "count" ? db.count("tokens") : (await db.getAll("tokens"))[0];
}"""


def enrol(phone: Phone, depot: Depot, code: str) -> None:
    phone.open(f"/m#e={code}&i={depot.name}")
    expect(phone.page.locator("#waiting [data-said]")).to_have_text(ENROLLED)


def professions(service: Service) -> list[Profession | None]:
    with service.world.sessions() as session:
        return list(session.scalars(select(SealedReport.profession)))


@pytest.fixture(autouse=True)
def empty(service: Service, depot: Depot) -> None:
    with service.world.sessions.begin() as session:
        session.execute(delete(SealedReport))
        session.execute(delete(SpentToken))
    with depot.issuer.sessions.begin() as session:
        session.execute(delete(CodeDay))


def test_without_a_code_no_library_for_tokens_comes(make_phone: MakePhone, service: Service) -> None:
    phone = make_phone()
    phone.open_for_offline("/m#pc=1012AB&hn=12")
    phone.press_send()
    expect(phone.page.get_by_text(SENT)).to_be_visible()
    assert [url for url in phone.asked if "token" in url or "blindrsa" in url] == []
    assert professions(service) == [None]


def test_a_phone_with_a_code_keeps_eight_tokens_and_a_report_spends_one(
    make_phone: MakePhone, service: Service, depot: Depot
) -> None:
    phone = make_phone()
    enrol(phone, depot, depot.code())
    assert "#" not in phone.page.url
    assert phone.page.evaluate(STOCK, "count") == 8
    phone.fill("1012AB", "12")
    phone.press_send()
    expect(phone.page.get_by_text(SENT)).to_be_visible()
    assert professions(service) == [Profession.CARRIER]
    service.world.worker().arrive()
    [summary] = open_summaries(service.world.keystore, service.world.signals()).values()
    assert summary.source is Source.CARRIER
    assert phone.page.evaluate(STOCK, "count") == 7
    phone.open("/")  # no more than eight a day
    expect(phone.page.locator("#postcode")).to_be_visible()
    with depot.issuer.sessions() as session:
        assert session.scalars(select(CodeDay.asked)).one() == 8
    assert phone.complaints == []


def test_a_report_that_waits_keeps_its_token_and_spends_it_once(
    make_phone: MakePhone, service: Service, depot: Depot
) -> None:
    phone = make_phone()
    enrol(phone, depot, depot.code())
    service.proxy.down = True
    phone.fill("1012AB", "14")
    phone.press_send()
    expect(phone.page.locator("#answer [data-why]")).to_be_visible()
    service.proxy.down = False
    phone.page.reload()
    expect(phone.page.locator("[data-sent]")).to_be_visible()
    assert professions(service) == [Profession.CARRIER]
    assert phone.page.evaluate(STOCK, "count") == 7


def test_a_token_that_was_spent_elsewhere_makes_room_for_the_next_one(
    make_phone: MakePhone, service: Service, depot: Depot
) -> None:
    phone = make_phone()
    enrol(phone, depot, depot.code())
    phone.page.evaluate(
        """async () => {
          const db = await signalsQueue.database();
          const [first] = await db.getAll("tokens");
          await db.delete("tokens", first.token);
          const token = first.token.replace(/.(?=.{300}$)/, (one) => one === "x" ? "y" : "x");
          await db.put("tokens", { token, until: first.until - 1 });
        }"""
    )
    phone.fill("1012AB", "15")
    phone.press_send()
    expect(phone.page.get_by_text(SENT)).to_be_visible()
    assert professions(service) == [Profession.CARRIER]
    assert phone.page.evaluate(STOCK, "count") == 6


def test_an_administrator_makes_a_code_and_a_phone_gets_tokens_with_it(
    make_phone: MakePhone, depot: Depot
) -> None:
    with depot.issuer.sessions.begin() as session:
        person = add_administrator(session, depot.issuer.secret, name="A. Bakker", issuer="Voorbeeld")
    desk = make_phone().page
    desk.goto(f"{depot.issuer.url}/issuer/")
    desk.fill("#access_key", person.access_key)
    desk.fill("#code", pyotp.TOTP(person.totp_secret).now())
    desk.get_by_role("button", name="Aanmelden").tap()
    desk.fill("#label", "Depot Noord")
    desk.fill("#phones", "40")
    desk.get_by_role("button", name="Maak de code").tap()
    code = desk.locator(".receipt").inner_text()
    assert Axe().run(desk).response["violations"] == []
    enrol(make_phone(), depot, code)


def test_a_revoked_code_is_forgotten_with_a_word(make_phone: MakePhone, depot: Depot) -> None:
    code = depot.code()
    with depot.issuer.sessions.begin() as session:
        revoke_code(session, depot.last, today(SystemClock()) - timedelta(days=1))
    phone = make_phone()
    phone.open(f"/m#e={code}&i={depot.name}")
    expect(phone.page.locator("#waiting [data-said]")).to_contain_text("werkt niet")
    assert (
        phone.page.evaluate("async () => (await signalsQueue.database()).get('facts', 'enrolment')") is None
    )


@pytest.mark.parametrize("issuer", ["", "&i=elsewhere.example.org"])
def test_a_link_with_a_code_that_does_not_work_leaves_the_phone_its_own(
    make_phone: MakePhone, depot: Depot, issuer: str
) -> None:
    phone, own = make_phone(), depot.code()
    enrol(phone, depot, own)
    phone.open(f"/m#e=00000-00000-00000-00000{issuer or f'&i={depot.name}'}")
    expect(phone.page.locator("#waiting [data-said]")).to_contain_text("werkt niet")
    kept = phone.page.evaluate("async () => (await signalsQueue.database()).get('facts', 'enrolment')")
    assert kept["code"] == own
