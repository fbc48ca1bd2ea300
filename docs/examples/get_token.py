"""Get a token long before a report (cryptography 50, requests): its issuer never sees what it signs."""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import load_der_public_key

PSS = padding.PSS(padding.MGF1(SHA384()), 48)


def get_token(issuer: dict[str, Any], code: str) -> str:
    """Return a token for one report; `issuer` is one of `GET /form`, `code` that of a depot."""
    spki = urlsafe_b64decode(issuer["token_key"])
    key, key_id = load_der_public_key(spki), sha256(spki).digest()
    assert isinstance(key, rsa.RSAPublicKey)
    challenge = sha256(urlsafe_b64decode(issuer["challenge"])).digest()
    signed = b"\0\2" + secrets.token_bytes(32) + challenge + key_id
    modulus, mask = key.public_numbers().n, secrets.randbits(2040) | 1
    blinded = encoded(signed) * pow(mask, 65537, modulus) % modulus
    request = b"\0\2" + key_id[-1:] + blinded.to_bytes(256, "big")
    headers = {"Content-Type": "application/private-token-request", "X-Enrolment-Code": code}
    answer = requests.post(f"{issuer['url']}/token-request", request, headers=headers, timeout=20)
    answer.raise_for_status()
    signature = int.from_bytes(answer.content, "big") * pow(mask, -1, modulus) % modulus
    token = signed + signature.to_bytes(256, "big")
    key.verify(token[-256:], signed, PSS, SHA384())
    return urlsafe_b64encode(token).decode()


def encoded(message: bytes) -> int:
    """Return the PSS encoding (RFC 8017, 9.1.1): the signature of any other key shows it."""
    other = rsa.generate_private_key(65537, 2048)
    signature = int.from_bytes(other.sign(message, PSS, SHA384()), "big")
    return pow(signature, 65537, other.public_key().public_numbers().n)
