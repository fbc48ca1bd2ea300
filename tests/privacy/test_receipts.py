"""Receipts and idempotency: the same again for a retry, other for anything else, nothing guessable."""

import base64
import hashlib
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from privacy import receipts

SECRET, OTHER_SECRET = bytes(range(32)), bytes(range(1, 33))
KEY, OTHER_KEY = UUID(int=1), UUID(int=2)
BODY = b'{"number":12,"postcode":"1012AB"}'


def test_a_receipt_stays_the_same_over_releases() -> None:
    assert receipts.receipt_for(SECRET, KEY, BODY) == "EN58-19SR-TY1G-HXXW"


@pytest.mark.parametrize("secret", [SECRET, bytes(range(64)), bytes(range(100))], ids=len)
def test_a_receipt_is_what_the_library_derives(secret: bytes) -> None:
    info = b"signals/receipt/v1\x00" + KEY.bytes + hashlib.sha256(BODY).digest()
    derived = HKDF(SHA256(), receipts.RECEIPT_BYTES, salt=None, info=info).derive(secret)
    alphabet = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    expected = base64.b32encode(derived).decode().translate(alphabet)
    assert receipts.receipt_for(secret, KEY, BODY).replace("-", "") == expected


def test_another_key_body_or_secret_gives_another_receipt() -> None:
    made = {
        receipts.receipt_for(SECRET, KEY, BODY),
        receipts.receipt_for(SECRET, OTHER_KEY, BODY),
        receipts.receipt_for(SECRET, KEY, BODY + b" "),
        receipts.receipt_for(OTHER_SECRET, KEY, BODY),
    }
    assert len(made) == 4


def test_stored_hashes_are_no_plain_hash_of_what_they_hide() -> None:
    receipt = receipts.receipt_for(SECRET, KEY, BODY)
    assert receipts.receipt_hash(receipt) != hashlib.sha256(receipt.encode()).digest()
    assert receipts.idempotency_hash(KEY) != hashlib.sha256(KEY.bytes).digest()
    assert receipts.body_mac(SECRET, KEY, BODY) != hashlib.sha256(BODY).digest()


@pytest.mark.parametrize("derive", [receipts.body_mac, receipts.receipt_for])
def test_a_short_secret_is_refused(derive: object) -> None:
    assert callable(derive)
    with pytest.raises(ValueError, match="32 bytes"):
        derive(bytes(31), KEY, BODY)


@pytest.mark.parametrize(
    "text",
    [
        "0123-4567-89AB-CDEF",
        "0123456789abcdef",
        " o l2 3-4567 89ab cdef ",
        "OI23-4567-89AB-CDEF",
        "0123\t4567\n89AB--CDEF",
    ],
)
def test_a_receipt_is_read_as_people_write_it(text: str) -> None:
    assert receipts.parse_receipt(text) == "0123-4567-89AB-CDEF"


@pytest.mark.parametrize(
    "text", ["", "0123", "0123-4567-89AB-CDEU", "0123-4567-89AB-CDEFG", "x" * 10_000, "٠" * 16]
)
def test_the_parser_returns_none_for_an_invalid_receipt(text: str) -> None:
    assert receipts.parse_receipt(text) is None


@pytest.mark.parametrize("text", ["0123456789ABCDEF", "0123-4567-89ab-cdef", "0123-4567-89AB-CDEF\n", ""])
def test_only_the_parsed_form_is_hashed(text: str) -> None:
    with pytest.raises(ValueError, match="parse_receipt"):
        receipts.receipt_hash(text)
