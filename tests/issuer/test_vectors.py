"""The published vectors of RFC 9474 (appendix A) and RFC 9578 (token type 2, by two independent programs)."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from privacy.tokens import Token, TokenKey, TokenRefused, TokenRequest
from signals.issuer.signing import BlindSigner
from tests.support.token_client import blind, finalize

VECTORS = Path(__file__).parent / "vectors"
TYPE_2 = json.loads((VECTORS / "rfc9578_type2.json").read_text())
(BLIND_RSA,) = json.loads((VECTORS / "rfc9474.json").read_text())


def signer_of(key: Any) -> BlindSigner:
    return BlindSigner(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


def test_it_signs_blindly_as_rfc_9474_does() -> None:
    p, q, n, e, d, mask_inverse = (int(BLIND_RSA[name], 16) for name in ("p", "q", "n", "e", "d", "inv"))
    crt = (rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
    key = rsa.RSAPrivateNumbers(p, q, d, *crt, rsa.RSAPublicNumbers(e, n)).private_key()
    message, salt, blinded, signature, finished = (
        bytes.fromhex(BLIND_RSA[name]) for name in ("input_msg", "salt", "blinded_msg", "blind_sig", "sig")
    )
    mask = pow(mask_inverse, -1, n)
    assert blind(n, message, salt=salt, mask=mask) == blinded
    assert signer_of(key).sign(blinded) == signature
    assert finalize(n, signature, mask=mask) == finished


@pytest.mark.parametrize("vector", TYPE_2)
def test_keys_requests_answers_and_tokens_are_those_of_rfc_9578(vector: dict[str, str]) -> None:
    of = {name: bytes.fromhex(text) for name, text in vector.items()}
    key = TokenKey(encoded=of["pkS"])
    private = load_pem_private_key(of["skS"], None)
    assert TokenKey.of(private.public_key()) == key  # type: ignore[arg-type]
    request = TokenRequest.parse(of["token_request"])
    assert request.short_key_id == key.id[-1]
    assert signer_of(private).sign(request.blinded) == of["token_response"]
    token = Token.parse(of["token"])
    assert (token.nonce, token.key_id) == (of["nonce"], key.id)
    token.check(key.public_key)


@pytest.mark.parametrize("spoiled", [0, 2, 40, 70, 98, 353])
def test_a_token_with_one_changed_byte_is_refused(spoiled: int) -> None:
    vector = TYPE_2[0]
    encoded = bytearray.fromhex(vector["token"])
    encoded[spoiled] ^= 1
    with pytest.raises(TokenRefused):
        Token.parse(bytes(encoded)).check(TokenKey(encoded=bytes.fromhex(vector["pkS"])).public_key)


def test_a_signature_or_a_message_of_the_modulus_or_more_is_refused() -> None:
    vector = TYPE_2[0]
    key = TokenKey(encoded=bytes.fromhex(vector["pkS"]))
    token = bytes.fromhex(vector["token"])
    value = int.from_bytes(token[-256:], "big") + key.modulus
    if value >= 1 << 2048:  # then the modulus itself has to do
        value = key.modulus
    with pytest.raises(TokenRefused):
        Token.parse(token[:-256] + value.to_bytes(256, "big")).check(key.public_key)
    with pytest.raises(TokenRefused):
        signer_of(load_pem_private_key(bytes.fromhex(vector["skS"]), None)).sign(
            key.modulus.to_bytes(256, "big")
        )


def test_a_fault_gives_no_signature_and_each_try_is_masked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    signer = signer_of(load_pem_private_key(bytes.fromhex(TYPE_2[0]["skS"]), None))
    seen = {2}
    monkeypatch.setattr(signer, "private_operation", lambda message: seen.add(int(message)) or 1)
    for _ in range(2):
        with pytest.raises(ArithmeticError, match="does not fit"):
            signer.sign(bytes(255) + b"\x02")
    assert len(seen) == 3


@pytest.mark.parametrize("encoded", [b"", b"\x30" * 342, bytes.fromhex(TYPE_2[0]["pkS"])[:-1] + b"\x03"])
def test_a_key_of_another_kind_is_refused(encoded: bytes) -> None:
    with pytest.raises(TokenRefused):
        TokenKey(encoded=encoded)
