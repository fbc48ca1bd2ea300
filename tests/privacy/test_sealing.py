"""Sealing to a mailbox and under a case key: what opens, what does not, and what sizes tell."""

from datetime import date
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from privacy import sealing
from privacy.sealing import EnvelopeRefused, PlaintextTooLarge, PublicKeyRefused, SealContext, SealingError

SIGNAL, OTHER_SIGNAL = UUID(int=1), UUID(int=2)
ORGANISATION, OTHER_ORGANISATION = UUID(int=3), UUID(int=4)
KEY_ID, OTHER_KEY_ID = UUID(int=5), UUID(int=6)
CASE_KEY = bytes(range(32))
CONTENT = {"postcode": "1012AB", "number": 12, "note": "Post ligt er al weken."}
CONTEXT = SealContext(signal_id=SIGNAL, organisation_id=ORGANISATION, key_id=KEY_ID, schema_version=1)
ELSEWHERE = [
    SealContext(signal_id=OTHER_SIGNAL, organisation_id=ORGANISATION, key_id=KEY_ID, schema_version=1),
    SealContext(signal_id=SIGNAL, organisation_id=OTHER_ORGANISATION, key_id=KEY_ID, schema_version=1),
    SealContext(signal_id=SIGNAL, organisation_id=ORGANISATION, key_id=OTHER_KEY_ID, schema_version=1),
    SealContext(signal_id=SIGNAL, organisation_id=ORGANISATION, key_id=KEY_ID, schema_version=2),
]


def test_a_mailbox_envelope_opens_with_its_private_key() -> None:
    private_key, public_key = sealing.generate_mailbox_keypair()
    envelope = sealing.seal_to_mailbox(CONTENT, public_key, CONTEXT)
    assert sealing.open_from_mailbox(envelope, private_key, CONTEXT) == CONTENT


def test_a_prepared_private_key_opens_many() -> None:
    private_key, public_key = sealing.generate_mailbox_keypair()
    prepared = sealing.MailboxPrivateKey.from_bytes(private_key)
    envelopes = [sealing.seal_to_mailbox({"n": n}, public_key, CONTEXT) for n in range(3)]
    opened = [sealing.open_from_mailbox(envelope, prepared, CONTEXT) for envelope in envelopes]
    assert opened == [{"n": 0}, {"n": 1}, {"n": 2}]


@pytest.mark.parametrize("context", ELSEWHERE)
def test_a_mailbox_envelope_does_not_open_in_another_place(context: SealContext) -> None:
    private_key, public_key = sealing.generate_mailbox_keypair()
    envelope = sealing.seal_to_mailbox(CONTENT, public_key, CONTEXT)
    with pytest.raises(EnvelopeRefused):
        sealing.open_from_mailbox(envelope, private_key, context)


def test_a_mailbox_envelope_does_not_open_with_another_key() -> None:
    _, public_key = sealing.generate_mailbox_keypair()
    other_private_key, _ = sealing.generate_mailbox_keypair()
    envelope = sealing.seal_to_mailbox(CONTENT, public_key, CONTEXT)
    with pytest.raises(EnvelopeRefused):
        sealing.open_from_mailbox(envelope, other_private_key, CONTEXT)


@pytest.mark.parametrize("envelope", [b"", b"x", bytes(32), bytes(48), bytes(2096)])
def test_a_mailbox_refuses_bytes_that_are_no_envelope(envelope: bytes) -> None:
    private_key, _ = sealing.generate_mailbox_keypair()
    with pytest.raises(EnvelopeRefused):
        sealing.open_from_mailbox(envelope, private_key, CONTEXT)


def test_the_context_is_the_hpke_info_of_rfc_9180() -> None:
    private_key, public_key = sealing.generate_mailbox_keypair()
    envelope = sealing.seal_to_mailbox(CONTENT, public_key, CONTEXT)
    suite = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
    key = X25519PrivateKey.from_private_bytes(private_key)
    assert sealing.unpad(suite.decrypt(envelope, key, info=CONTEXT.info())) == sealing.canonical_json(CONTENT)


def test_the_context_names_its_domain_and_every_id_at_a_fixed_place() -> None:
    ids = SIGNAL.bytes + ORGANISATION.bytes + KEY_ID.bytes
    assert CONTEXT.info() == b"signals/seal/v1\x00" + ids + b"\x00\x00\x00\x01"


@pytest.mark.parametrize("public_key", [b"", bytes(31), bytes(32)])
def test_sealing_to_what_is_no_usable_key_is_refused(public_key: bytes) -> None:
    with pytest.raises(SealingError):
        sealing.seal_to_mailbox(CONTENT, public_key, CONTEXT)


def test_content_above_the_fixed_size_is_refused() -> None:
    _, public_key = sealing.generate_mailbox_keypair()
    with pytest.raises(PlaintextTooLarge):
        sealing.seal_to_mailbox({"note": "x" * 2048}, public_key, CONTEXT)


@pytest.mark.parametrize(
    "value", [{"note": "Dorpsstraat \ud800"}, {"x": float("nan")}, {"Dorpsstraat": {1, 2}}]
)
def test_content_that_is_no_json_is_refused_without_being_quoted(value: dict[str, object]) -> None:
    with pytest.raises(SealingError) as caught:
        sealing.canonical_json(value)
    assert "Dorpsstraat" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("padded", [b"", b"\x00", b"\x00\x05abc", b"\x00\x01ab", b"\x00\x00\x00\x01"])
def test_padding_that_is_not_ours_is_refused(padded: bytes) -> None:
    with pytest.raises(EnvelopeRefused):
        sealing.unpad(padded)


def test_a_case_envelope_opens_with_its_key_and_purpose() -> None:
    envelope = sealing.seal_json(CONTENT, CASE_KEY, CONTEXT, purpose="content")
    assert sealing.open_json(envelope, CASE_KEY, CONTEXT, purpose="content") == CONTENT


@pytest.mark.parametrize("context", ELSEWHERE)
def test_a_case_envelope_does_not_open_in_another_place(context: SealContext) -> None:
    envelope = sealing.seal_json(CONTENT, CASE_KEY, CONTEXT, purpose="content")
    with pytest.raises(EnvelopeRefused):
        sealing.open_json(envelope, CASE_KEY, context, purpose="content")


def test_a_summary_put_in_the_place_of_the_content_does_not_open() -> None:
    envelope = sealing.seal_json({"seen": "today"}, CASE_KEY, CONTEXT, purpose="summary")
    with pytest.raises(EnvelopeRefused):
        sealing.open_json(envelope, CASE_KEY, CONTEXT, purpose="content")


def test_one_note_put_in_the_place_of_another_does_not_open() -> None:
    envelope = sealing.seal_json({"text": "Gebeld."}, CASE_KEY, CONTEXT, purpose="note:1")
    with pytest.raises(EnvelopeRefused):
        sealing.open_json(envelope, CASE_KEY, CONTEXT, purpose="note:2")


@pytest.mark.parametrize(
    ("purpose", "text", "plaintext_size"),
    [
        ("content", "", 2048),
        ("content", "x" * 1500, 2048),
        ("summary", "", 384),
        ("summary", "x" * 200, 384),
        ("note:1", "", 512),
        ("note:1", "x" * 499, 512),
        ("note:1", "x" * 500, 1024),
    ],
)
def test_case_envelopes_come_in_few_sizes(purpose: str, text: str, plaintext_size: int) -> None:
    envelope = sealing.seal_json({"text": text}, CASE_KEY, CONTEXT, purpose=purpose)
    assert len(envelope) == 12 + plaintext_size + 16


def test_a_summary_that_does_not_fit_is_refused() -> None:
    with pytest.raises(PlaintextTooLarge):
        sealing.seal_json({"text": "x" * 384}, CASE_KEY, CONTEXT, purpose="summary")


def test_a_case_envelope_that_holds_no_object_is_refused() -> None:
    envelope = sealing.seal_under_case_key(sealing.pad(b"[1]"), CASE_KEY, CONTEXT, purpose="content")
    with pytest.raises(EnvelopeRefused):
        sealing.open_json(envelope, CASE_KEY, CONTEXT, purpose="content")


@pytest.mark.parametrize("key", [b"", bytes(16), bytes(33)])
def test_a_case_key_has_32_bytes(key: bytes) -> None:
    with pytest.raises(SealingError):
        sealing.seal_under_case_key(b"x", key, CONTEXT, purpose="content")


def test_other_secrets_open_only_in_their_own_place() -> None:
    envelope = sealing.seal_bytes(b"totp", CASE_KEY, associated_data=b"staff|1")
    assert sealing.open_bytes(envelope, CASE_KEY, associated_data=b"staff|1") == b"totp"
    with pytest.raises(EnvelopeRefused):
        sealing.open_bytes(envelope, CASE_KEY, associated_data=b"staff|2")


@pytest.mark.parametrize(("day", "monday"), [(5, 5), (6, 5), (11, 5), (12, 12)])
def test_a_week_is_named_by_its_monday(day: int, monday: int) -> None:
    assert sealing.week_start(date(2026, 10, day)) == date(2026, 10, monday)


class TestSignedMailboxKeys:
    root = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    root_public = root.public_key().public_bytes_raw()
    public_key = bytes(range(1, 33))
    week = date(2026, 10, 5)

    def signature(self) -> bytes:
        return sealing.sign_public_key(
            self.root,
            key_id=KEY_ID,
            organisation_id=ORGANISATION,
            week=self.week,
            public_key=self.public_key,
        )

    def verify(
        self,
        *,
        key_id: UUID = KEY_ID,
        organisation_id: UUID = ORGANISATION,
        week: date = week,
        public_key: bytes = public_key,
        signature: bytes | None = None,
        root_public: bytes = root_public,
    ) -> None:
        sealing.verify_public_key(
            root_public,
            key_id=key_id,
            organisation_id=organisation_id,
            week=week,
            public_key=public_key,
            signature=self.signature() if signature is None else signature,
        )

    def test_a_key_signed_by_the_root_is_accepted(self) -> None:
        assert len(self.signature()) == 64
        self.verify()

    def test_a_key_put_in_its_place_is_refused(self) -> None:
        with pytest.raises(PublicKeyRefused):
            self.verify(public_key=bytes(32))

    def test_a_key_under_another_id_is_refused(self) -> None:
        with pytest.raises(PublicKeyRefused):
            self.verify(key_id=OTHER_KEY_ID)

    def test_a_key_of_another_organisation_is_refused(self) -> None:
        with pytest.raises(PublicKeyRefused):
            self.verify(organisation_id=OTHER_ORGANISATION)

    def test_a_key_of_another_week_is_refused(self) -> None:
        with pytest.raises(PublicKeyRefused):
            self.verify(week=date(2026, 10, 12))

    def test_a_key_signed_by_another_root_is_refused(self) -> None:
        stranger = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
        with pytest.raises(PublicKeyRefused):
            self.verify(root_public=stranger)

    @pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64)])
    def test_the_check_refuses_bytes_that_are_no_signature(self, signature: bytes) -> None:
        with pytest.raises(PublicKeyRefused):
            self.verify(signature=signature)

    def test_a_damaged_pinned_root_refuses_all(self) -> None:
        with pytest.raises(PublicKeyRefused):
            self.verify(root_public=b"short")
