"""Browser and Python open what the other sealed (RFC 9180), and a slow phone seals in time."""

import json
import sys
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.bindings._rust import openssl
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.browser.carrier import PREFILLED, Phone

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_FILE = Path(__file__).parent / "vectors" / "rfc9180.json"
VECTOR = {name: bytes.fromhex(value) for name, value in json.loads(_FILE.read_text()).items()}
"""Mode base, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM: the first encryption."""
SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
TEXT = b"Mevrouw De Vries, 1012 AB"

SETUP = """
const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0)).buffer;
const base64 = (data) => btoa(String.fromCharCode(...new Uint8Array(data)));
const kem = new hpke[given.kem]();
const suite = new hpke.CipherSuite({ kem, kdf: new hpke.HkdfSha256(), aead: new hpke.Aes256Gcm() });
"""
OPEN = f"""async (given) => {{ {SETUP}
  const recipientKey = await kem.importKey("raw", bytes(given.skRm), false);
  const context = await suite.createRecipientContext({{
    recipientKey, enc: bytes(given.enc), info: bytes(given.info) }});
  return base64(await context.open(bytes(given.ct), bytes(given.aad)));
}}"""
SEAL = f"""async (given) => {{ {SETUP}
  const recipientPublicKey = await kem.deserializePublicKey(bytes(given.pkRm));
  const sender = await suite.createSenderContext({{ recipientPublicKey, info: bytes(given.info) }});
  return [base64(sender.enc), base64(await sender.seal(bytes(given.pt), bytes(given.aad)))];
}}"""
SEAL_AND_SEND = """async () => {
  const body = JSON.stringify({ postcode: "1012AB", house_number: 12, note: "Deur staat open" });
  const times = [];
  for (let number = 0; number < 7; number += 1) {
    const start = performance.now();
    const response = await fetch("/api/v1/signals", {
      method: "POST", body: await signalsSeal.sealed(body),
      headers: { "Content-Type": "application/json", "Idempotency-Key": signalsQueue.newKey() },
    });
    await response.text();
    if (response.status !== 201) throw new Error(response.status);
    times.push(performance.now() - start);
  }
  return times.sort((one, other) => one - other);
}"""


@pytest.fixture(params=["BrowserKem", "ScriptKem"])
def kem(request: pytest.FixtureRequest) -> str:
    """X25519 of the browser, and in script."""
    name: str = request.param
    return name


@pytest.fixture
def page_with_keys(phone: Phone) -> Phone:
    """A page that loaded its libraries, because an address is in it."""
    phone.open(PREFILLED)
    phone.until("Boolean(window.hpke && window.signalsSeal)")
    return phone


def test_the_browser_opens_the_vector_of_the_standard_and_what_python_sealed(
    page_with_keys: Phone, kem: str
) -> None:
    assert _opened(page_with_keys, kem, VECTOR) == VECTOR["pt"]
    public = X25519PrivateKey.from_private_bytes(VECTOR["skRm"]).public_key()
    sealed = SUITE.encrypt(TEXT, public, info=VECTOR["info"])
    ours = VECTOR | {"enc": sealed[:32], "ct": sealed[32:], "aad": b""}
    assert _opened(page_with_keys, kem, ours) == TEXT


def test_python_opens_the_vector_of_the_standard() -> None:
    """By a private call: the public one takes no associated data, which the vector has."""
    key = X25519PrivateKey.from_private_bytes(VECTOR["skRm"])
    sealed = VECTOR["enc"] + VECTOR["ct"]
    opened = openssl.hpke._decrypt_with_aad(SUITE, sealed, key, VECTOR["info"], VECTOR["aad"])
    assert opened == VECTOR["pt"]


def test_python_opens_what_the_browser_sealed(page_with_keys: Phone, kem: str) -> None:
    given = _given(kem, VECTOR | {"pt": TEXT, "aad": b""})
    envelope = b"".join(map(b64decode, page_with_keys.page.evaluate(SEAL, given)))
    key = X25519PrivateKey.from_private_bytes(VECTOR["skRm"])
    assert SUITE.decrypt(envelope, key, info=VECTOR["info"]) == TEXT


def test_a_phone_slowed_four_times_seals_and_sends(
    page_with_keys: Phone, capsys: pytest.CaptureFixture[str]
) -> None:
    tools = page_with_keys.context.new_cdp_session(page_with_keys.page)
    tools.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    times = page_with_keys.page.evaluate(SEAL_AND_SEND)
    with capsys.disabled():
        sys.stdout.write(f"\nseal and send, slowed 4x: {times[3]:.0f} ms (median), {times[-1]:.0f} ms\n")


def _given(kem: str, values: dict[str, bytes]) -> dict[str, str]:
    return {"kem": kem} | {name: b64encode(value).decode() for name, value in values.items()}


def _opened(phone: Phone, kem: str, values: dict[str, bytes]) -> bytes:
    return b64decode(phone.page.evaluate(OPEN, _given(kem, values)))
