"""Read every receipt back: it says nothing of its report."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from privacy.receipts import parse_receipt, receipt_for, receipt_hash

SECRET = bytes(range(32))


@given(st.uuids(), st.binary(max_size=200))
def test_a_receipt_is_read_back_however_it_is_typed(key: UUID, body: bytes) -> None:
    receipt = receipt_for(SECRET, key, body)
    typed = receipt.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert parse_receipt(typed) == parse_receipt(receipt.replace("-", "")) == receipt
    assert len(receipt_hash(receipt)) == 32


@given(st.uuids(), st.binary(max_size=50), st.uuids(), st.binary(max_size=50))
def test_a_receipt_is_the_same_for_the_same_report_only(
    key: UUID, body: bytes, other_key: UUID, other_body: bytes
) -> None:
    same = (key, body) == (other_key, other_body)
    assert same == (receipt_for(SECRET, key, body) == receipt_for(SECRET, other_key, other_body))
