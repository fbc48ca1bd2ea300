"""The page routes and seals by itself: no request names the address, and a swapped key stops everything."""

import json
from typing import Any

import pytest
from playwright.sync_api import Request, Route, expect

from tests.browser.carrier import PREFILLED, MakePhone, Phone, Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EXPIRED = {"type": "urn:problem:signals:mailbox_key_expired", "title": "Expired", "status": 409}


@pytest.fixture
def phone(make_phone: MakePhone) -> Phone:
    """A phone whose every request the page itself makes."""
    return make_phone(options={"service_workers": "block"})


def test_no_request_names_more_of_the_address_than_four_digits(phone: Phone, service: Service) -> None:
    sent: list[Request] = []
    phone.page.on("request", lambda request: sent.append(request))
    before = service.stored()
    page = phone.open(PREFILLED)
    expect(page.locator("#receiver")).to_have_text("Voorbeeld Welzijn Amsterdam")
    phone.press_send()
    phone.expect_sent()
    assert service.stored() == before + 1
    bodies = {
        request.url.partition("/v1/")[2]: request.post_data or "" for request in sent if request.post_data
    }
    assert bodies.keys() == {"mailboxes/lookup", "signals"}
    assert json.loads(bodies["mailboxes/lookup"]) == {"pc4": "1012"}
    assert json.loads(bodies["signals"]).keys() == {
        "signal_id", "organisation_id", "mailbox_key_id", "schema_version", "envelope",
    }  # fmt: skip


def test_a_late_script_with_other_bytes_never_runs_and_the_report_waits(
    phone: Phone, service: Service
) -> None:
    def change(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=f"window.changed = true; {answer.text()}")

    phone.page.route("**/bundles/seal.js*", change)
    before = service.stored()
    page = phone.open(PREFILLED)
    phone.press_send()
    phone.expect_saved()
    assert page.evaluate("window.changed") is None
    assert service.stored() == before


@pytest.mark.parametrize("swapped", ["public_key", "key_id", "valid_from"])
def test_a_front_that_swaps_a_key_gets_no_report(phone: Phone, service: Service, swapped: str) -> None:
    others = {
        "public_key": "A" * 43,
        "key_id": "0" * 8 + "-0000-4000-8000-" + "0" * 12,
        "valid_from": "2026-01-05",
    }

    def swap(route: Route) -> None:
        answer = route.fetch()
        found: dict[str, Any] = answer.json()
        found["organisations"][0]["mailbox"][swapped] = others[swapped]
        route.fulfill(response=answer, json=found)

    phone.page.route("**/mailboxes/lookup", swap)
    before = service.stored()
    page = phone.open(PREFILLED)
    phone.press_send()
    phone.expect_saved()
    expect(page.locator("#answer")).to_contain_text("De sleutel van de ontvanger klopt niet.")
    assert service.stored() == before
    page.unroute_all(behavior="wait")
    page.evaluate("signalsQueue.flush(true)")
    phone.expect_nothing_waits()
    assert service.stored() == before + 1


def test_a_key_whose_week_is_over_is_looked_up_again_and_the_report_sealed_anew(
    phone: Phone, service: Service
) -> None:
    tried: list[str] = []

    def expire_once(route: Route) -> None:
        tried.append(route.request.post_data or "")
        if len(tried) == 1:
            headers = {"API-Version": "1.0.0", "Content-Type": "application/problem+json"}
            route.fulfill(status=409, headers=headers, body=json.dumps(EXPIRED))
        else:
            route.continue_()

    phone.page.route("**/api/v1/signals", expire_once)
    before = service.stored()
    phone.open(PREFILLED)
    phone.press_send()
    phone.expect_sent()
    assert service.stored() == before + 1
    first, second = (json.loads(body)["envelope"] for body in tried)
    assert first != second


def test_keys_leave_the_phone_after_seven_days_with_the_digits_that_they_are_of(phone: Phone) -> None:
    page = phone.open(PREFILLED)
    expect(page.locator("#receiver")).not_to_be_empty()
    left = page.evaluate(
        """async () => {
          const db = await signalsQueue.database();
          await db.put("facts", { at: Date.now() - 7 * 24 * 3600 * 1000 }, "mailboxes-9711");
          await signalsQueue.flush(true);
          return (await db.getAllKeys("facts")).filter((name) => name.startsWith("mailboxes"));
        }"""
    )
    assert left == ["mailboxes-1012"]


def test_nobody_can_read_on_the_phone_what_waits_there(phone: Phone) -> None:
    page = phone.open(PREFILLED)
    expect(page.locator("#receiver")).not_to_be_empty()
    phone.offline()
    phone.press_send()
    phone.expect_saved()
    kept = page.evaluate(
        """async () => {
          const db = await idb.openDB("signals");
          const key = await db.get("facts", "own-key");
          const refused = await crypto.subtle.exportKey("raw", key).then(() => false, () => true);
          const [report] = await db.getAll("reports");
          return [refused, JSON.stringify(report), report.hidden.data.byteLength > 0, Boolean(report.sealed)];
        }"""
    )
    assert kept[0]
    assert "1012AB" not in kept[1]
    assert kept[2:] == [True, True]


def test_a_browser_without_x25519_of_its_own_seals_in_script(phone: Phone, service: Service) -> None:
    phone.context.add_init_script(
        """const make = SubtleCrypto.prototype.generateKey;
        SubtleCrypto.prototype.generateKey = function (how, ...more) {
          if (how === "X25519" || how.name === "X25519") return Promise.reject(new Error());
          return make.call(this, how, ...more);
        };"""
    )
    before = service.stored()
    phone.open(PREFILLED)
    phone.press_send()
    phone.expect_sent()
    assert service.stored() == before + 1
    service.world.worker().arrive()
    assert service.world.sealed() == []
