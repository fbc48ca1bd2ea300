"""Sealing holds for any content: one size, there and back, and nothing that was touched ever opens."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy import sealing
from privacy.sealing import EnvelopeRefused, PlaintextTooLarge, SealContext

PRIVATE_KEY, PUBLIC_KEY = sealing.generate_mailbox_keypair()
CASE_KEY = bytes(range(32))

texts = st.text(st.characters(codec="utf-8"), max_size=40)
contents = st.dictionaries(texts, st.one_of(st.none(), st.booleans(), st.integers(), texts), max_size=5)
contexts = st.builds(
    SealContext,
    signal_id=st.uuids(),
    organisation_id=st.uuids(),
    key_id=st.uuids(),
    schema_version=st.integers(0, 2**32 - 1),
)


@given(st.binary(max_size=2046))
def test_padding_always_gives_2048_bytes_and_comes_off_again(data: bytes) -> None:
    padded = sealing.pad(data)
    assert len(padded) == 2048
    assert sealing.unpad(padded) == data


@given(st.binary(min_size=2047, max_size=2100))
def test_padding_refuses_content_that_does_not_fit(data: bytes) -> None:
    with pytest.raises(PlaintextTooLarge):
        sealing.pad(data)


@given(contents, contexts)
def test_a_mailbox_gives_back_what_was_put_in(content: dict[str, Any], context: SealContext) -> None:
    envelope = sealing.seal_to_mailbox(content, PUBLIC_KEY, context)
    assert len(envelope) == 2096
    assert sealing.open_from_mailbox(envelope, PRIVATE_KEY, context) == content


@given(contents, contexts, contexts)
def test_two_places_never_share_an_envelope(
    content: dict[str, Any], context: SealContext, other: SealContext
) -> None:
    envelope = sealing.seal_to_mailbox(content, PUBLIC_KEY, context)
    assert (context == other) == (context.info() == other.info())
    if context != other:
        with pytest.raises(EnvelopeRefused):
            sealing.open_from_mailbox(envelope, PRIVATE_KEY, other)


@given(st.integers(0, 2096 * 8 - 1))
def test_one_flipped_bit_keeps_a_mailbox_envelope_closed(bit: int) -> None:
    # The top bit of an X25519 point is masked off (RFC 7748 section 5), but HPKE hashes the point as sent.
    context = SealContext(
        signal_id=UUID(int=1), organisation_id=UUID(int=2), key_id=UUID(int=3), schema_version=1
    )
    envelope = bytearray(sealing.seal_to_mailbox({"a": 1}, PUBLIC_KEY, context))
    envelope[bit // 8] ^= 1 << bit % 8
    with pytest.raises(EnvelopeRefused):
        sealing.open_from_mailbox(bytes(envelope), PRIVATE_KEY, context)


@given(contents, contexts, st.text(st.characters(codec="ascii"), min_size=1, max_size=20), st.data())
def test_a_case_envelope_opens_as_it_was_sealed_and_not_after_a_flipped_bit(
    content: dict[str, Any], context: SealContext, purpose: str, data: st.DataObject
) -> None:
    envelope = sealing.seal_json(content, CASE_KEY, context, purpose=f"note:{purpose}")
    assert (len(envelope) - 28) % 512 == 0
    assert sealing.open_json(envelope, CASE_KEY, context, purpose=f"note:{purpose}") == content
    changed = bytearray(envelope)
    changed[data.draw(st.integers(0, len(envelope) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(EnvelopeRefused):
        sealing.open_json(bytes(changed), CASE_KEY, context, purpose=f"note:{purpose}")
