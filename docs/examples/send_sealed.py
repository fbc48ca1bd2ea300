"""Seal a report on the device (cryptography 50, requests): the front learns four digits and a receiver."""

import json
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
NOTHING: dict[str, Any] = {"add": "", "by": None, "note": None, "on": None, "seen": None, "types": []}


def seal(found: dict[str, Any], root: str, report: dict[str, Any]) -> dict[str, Any]:
    """Return the body of `POST /signals`; `found` is the answer of `POST /mailboxes/lookup`.

    Raises `InvalidSignature` if the root did not sign the receiver's key: then send nothing.
    """
    receiver = next(rule["organisation_id"] for rule in found["rules"] if fits(rule, report))
    box = next(one["mailbox"] for one in found["organisations"] if one["id"] == receiver)
    ids = {"signal_id": str(uuid.uuid4()), "organisation_id": receiver, "mailbox_key_id": box["key_id"]}
    signal, organisation, key_id = (uuid.UUID(one).bytes for one in ids.values())
    key, signature, root_key = (
        urlsafe_b64decode(f"{one}==") for one in (box["public_key"], box["signature"], root)
    )
    signed = b"signals/mailbox-key/v1\0" + key_id + organisation + box["valid_from"].encode() + key
    Ed25519PublicKey.from_public_bytes(root_key).verify(signature, signed)
    text = json.dumps(NOTHING | report).encode()
    padded = (len(text).to_bytes(2, "big") + text).ljust(2048, b"\0")
    info = b"signals/seal/v1\0" + signal + organisation + key_id + b"\0\0\0\1"
    envelope = SUITE.encrypt(padded, X25519PublicKey.from_public_bytes(key), info=info)
    return {**ids, "schema_version": 1, "envelope": urlsafe_b64encode(envelope).decode().rstrip("=")}


def fits(rule: dict[str, Any], report: dict[str, Any]) -> bool:
    """Return whether a rule is of this address; the first that fits counts."""
    is_here = rule.get("postcode", report["pc"]) == report["pc"]
    return bool(is_here and rule.get("from", 1) <= report["nr"] <= rule.get("to", 99999))
