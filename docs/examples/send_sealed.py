"""Seal a report on the device (cryptography 50, requests): the front learns four digits and a receiver."""

import json
import uuid
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import requests
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
NOTHING: dict[str, Any] = {"add": "", "note": None, "on": None, "seen": None, "types": []}


def look_up(service: str, root: str, postcode: str) -> dict[str, Any]:
    """Return rules and keys, which you may keep for a week; raise `InvalidSignature`: then send nothing."""
    found = post(service, "mailboxes/lookup", {"pc4": postcode[:4]})
    for one in found["organisations"]:
        box = one["mailbox"]
        ids = uuid.UUID(box["key_id"]).bytes + uuid.UUID(one["id"]).bytes
        signed = b"signals/mailbox-key/v1\0" + ids + box["valid_from"].encode() + plain(box["public_key"])
        Ed25519PublicKey.from_public_bytes(b64decode(root)).verify(plain(box["signature"]), signed)
    return found


def seal(found: dict[str, Any], report: dict[str, Any]) -> dict[str, Any]:
    """Return the body of `POST /signals` for `pc` (1012AB), `nr` and what `NOTHING` has."""
    receiver = next(rule["organisation_id"] for rule in found["rules"] if fits(rule, report))
    box = next(one["mailbox"] for one in found["organisations"] if one["id"] == receiver)
    ids = {"signal_id": str(uuid.uuid4()), "organisation_id": receiver, "mailbox_key_id": box["key_id"]}
    info = b"signals/seal/v1\0" + b"".join(uuid.UUID(one).bytes for one in ids.values()) + b"\0\0\0\1"
    text = json.dumps(NOTHING | report).encode()
    padded = (len(text).to_bytes(2, "big") + text).ljust(2048, b"\0")
    key = X25519PublicKey.from_public_bytes(plain(box["public_key"]))
    envelope = urlsafe_b64encode(SUITE.encrypt(padded, key, info=info)).rstrip(b"=").decode()
    return {**ids, "schema_version": 1, "envelope": envelope}


def fits(rule: dict[str, Any], report: dict[str, Any]) -> bool:
    """Return whether a rule is of this address; the first that fits counts."""
    is_here = rule.get("postcode", report["pc"]) == report["pc"]
    return bool(is_here and rule.get("from", 1) <= report["nr"] <= rule.get("to", 99999))


def send(service: str, body: dict[str, Any], key: str, token: str | None = None) -> dict[str, Any]:
    """Send a body, with the same UUID `key` at every try; return the receipt and the receiver."""
    proof = {"Authorization": f'PrivateToken token="{token}"'} if token else {}
    return post(service, "signals", body, {"Idempotency-Key": key, **proof})


def post(service: str, call: str, body: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the answer; raise `requests.RequestException`, and then try again later."""
    done = requests.post(f"{service}/api/v1/{call}", json=body, headers=headers, timeout=20)
    done.raise_for_status()
    answer: dict[str, Any] = done.json()
    return answer


def plain(text: str) -> bytes:
    """Return the bytes of base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
