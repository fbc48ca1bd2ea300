"""Sealing: HPKE to a mailbox at the door, AES-256-GCM under a case key behind it, and signed mailbox keys.

Every envelope is bound to its row by `SealContext`, so that a ciphertext moved to another row never opens.
Exceptions of this module carry neither plaintext nor key: they may be logged.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PLAINTEXT_SIZE: Final = 2048
ENVELOPE_SIZE: Final = 32 + PLAINTEXT_SIZE + 16
"""Bytes of an HPKE envelope: the encapsulated key, the padded text, and the tag."""
SUMMARY_SIZE: Final = 384
NOTE_BUCKET: Final = 512
SCHEMA_VERSION: Final = 1
KEY_SIZE: Final = 32
SIGNATURE_SIZE: Final = 64

_LENGTH_PREFIX: Final = 2  # bytes that say how much of the padded text is real
_NONCE_SIZE: Final = 12  # 96 bits, NIST SP 800-38D section 8.2.2 (random nonces)
_FIXED_SIZES: Final[Mapping[str, int]] = {"content": PLAINTEXT_SIZE, "summary": SUMMARY_SIZE}
_CONTEXT_DOMAIN: Final = b"signals/seal/v1\x00"
_MAILBOX_KEY_DOMAIN: Final = b"signals/mailbox-key/v1\x00"
_SUITE: Final = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
_DECODER: Final = json.JSONDecoder()
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


class SealingError(Exception):
    """This cannot be sealed or opened."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)


class EnvelopeRefused(SealingError):
    """The envelope does not belong here or was changed: it stays closed."""


class PlaintextTooLarge(SealingError):
    """The text does not fit in the fixed size that hides its length."""


class PublicKeyRefused(SealingError):
    """The mailbox key does not carry the signature of the pinned root."""


class SealContext(NamedTuple):
    """The place of an envelope: the row, the owner, the key and the version of the content's schema."""

    signal_id: UUID
    organisation_id: UUID
    key_id: UUID
    schema_version: int

    def info(self) -> bytes:
        """Return 68 bytes: a domain of 16, three ids of 16, the version as a big-endian 32-bit number.

        Fixed length, so that what follows it (a purpose) can never be read as a part of it. Used as HPKE
        `info` (RFC 9180 section 5.1) and as associated data under a case key.
        """
        return b"".join(
            (
                _CONTEXT_DOMAIN,
                self.signal_id.bytes,
                self.organisation_id.bytes,
                self.key_id.bytes,
                self.schema_version.to_bytes(4, "big"),
            )
        )


class MailboxPrivateKey:
    """A parsed mailbox private key, for opening a batch: parse once, open many, drop it with the batch.

    There is no cache of private keys in this module, on purpose: a destroyed key must not live on in one.
    """

    __slots__ = ("_key",)

    def __init__(self, key: X25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Parse 32 raw X25519 bytes; raises `SealingError` for any other length."""
        try:
            return cls(X25519PrivateKey.from_private_bytes(raw))
        except ValueError:
            raise SealingError("a mailbox private key has 32 bytes") from None

    def public(self) -> bytes:
        """Return the public half, 32 raw bytes."""
        return self._key.public_key().public_bytes_raw()

    def open(self, envelope: bytes, context: SealContext) -> bytes:
        """Return the JSON that `seal_to_mailbox` wrote, unparsed; raise `EnvelopeRefused`."""
        return unpad(self.decrypt(envelope, context.info()))

    def decrypt(self, envelope: bytes, info: bytes) -> bytes:
        """Open one HPKE envelope; raises `EnvelopeRefused`."""
        try:
            return _SUITE.decrypt(envelope, self._key, info=info)
        except (InvalidTag, ValueError):
            raise EnvelopeRefused from None

    def __repr__(self) -> str:
        return "MailboxPrivateKey(...)"


class CaseSealer:
    """One case's key and what binds to it, parsed once to seal all its columns."""

    __slots__ = ("_cipher", "_info")

    def __init__(self, case_key: bytes, context: SealContext) -> None:
        self._cipher = _aes(case_key)
        self._info = context.info()

    def seal(self, data: bytes, *, purpose: str) -> bytes:
        """Seal canonical JSON as `seal_json` does; raises `PlaintextTooLarge`."""
        nonce = secrets.token_bytes(_NONCE_SIZE)
        padded = _pad_to(data, _bucket(len(data), purpose))
        return nonce + self._cipher.encrypt(nonce, padded, self._info + purpose.encode())

    def __repr__(self) -> str:
        return "CaseSealer(...)"


def generate_mailbox_keypair() -> tuple[bytes, bytes]:
    """Return a new X25519 pair as (private, public), 32 raw bytes each."""
    key = X25519PrivateKey.generate()
    return key.private_bytes_raw(), key.public_key().public_bytes_raw()


def seal_to_mailbox(content: Mapping[str, Any], public_key: bytes, context: SealContext) -> bytes:
    """Seal content to a mailbox, so that only the desk side can open it; always 2,096 bytes.

    `public_key` is 32 raw X25519 bytes whose signature the caller has verified (`verify_public_key`). Raises
    `PlaintextTooLarge` above 2,046 bytes of canonical JSON, and `SealingError` for what is no JSON or no key.
    """
    return seal_text_to_mailbox(canonical_json(content), public_key, context)


def seal_text_to_mailbox(text: bytes, public_key: bytes, context: SealContext) -> bytes:
    """Seal what `canonical_json` has written already; otherwise as `seal_to_mailbox`."""
    padded = pad(text)
    try:
        return _SUITE.encrypt(padded, _parsed_public_key(public_key), info=context.info())
    except ValueError:
        raise SealingError("the mailbox public key is no usable X25519 key") from None


def open_from_mailbox(
    envelope: bytes, private_key: bytes | MailboxPrivateKey, context: SealContext
) -> dict[str, Any]:
    """Open what `seal_to_mailbox` made; raises `EnvelopeRefused` for another key, row, owner or any change.

    For many envelopes parse the key once (`MailboxPrivateKey.from_bytes`) and pass that.
    """
    if isinstance(private_key, bytes):
        private_key = MailboxPrivateKey.from_bytes(private_key)
    return parse_json(private_key.open(envelope, context))


def seal_json(content: Mapping[str, Any], case_key: bytes, context: SealContext, *, purpose: str) -> bytes:
    """Seal content under a case key, padded so that its size tells nothing.

    `purpose` names the column: "content" is always 2,048 bytes of plaintext, "summary" 384, anything else
    (notes) the next multiple of 512. Where one case has several of a kind, add the row's id after a colon
    ("note:<id>"), or two of them could be exchanged unseen. Raises `PlaintextTooLarge`.
    """
    data = canonical_json(content)
    padded = _pad_to(data, _bucket(len(data), purpose))
    return seal_under_case_key(padded, case_key, context, purpose=purpose)


def open_json(envelope: bytes, case_key: bytes, context: SealContext, *, purpose: str) -> dict[str, Any]:
    """Open what `seal_json` made under the same purpose; raises `EnvelopeRefused`."""
    return parse_json(unpad(open_under_case_key(envelope, case_key, context, purpose=purpose)))


def seal_under_case_key(plaintext: bytes, case_key: bytes, context: SealContext, *, purpose: str) -> bytes:
    """Seal bytes, unpadded, under a case key of 32 bytes: nonce of 12, ciphertext, tag of 16."""
    return seal_bytes(plaintext, case_key, associated_data=_case_binding(context, purpose))


def open_under_case_key(envelope: bytes, case_key: bytes, context: SealContext, *, purpose: str) -> bytes:
    """Open what `seal_under_case_key` made for the same context and purpose; raises `EnvelopeRefused`."""
    return open_bytes(envelope, case_key, associated_data=_case_binding(context, purpose))


def summary_key(case_key: bytes) -> bytes:
    """Return the key of a case's summary: a list gets it, and it opens nothing else of the case."""
    return hmac.digest(case_key, b"signals/summary-key/v1", hashlib.sha256)


def seal_bytes(plaintext: bytes, key: bytes, *, associated_data: bytes) -> bytes:
    """AES-256-GCM with a random nonce in front, for secrets that belong to no case (a TOTP secret).

    `associated_data` must name the place of the ciphertext: table, column and row.
    """
    nonce = secrets.token_bytes(_NONCE_SIZE)
    return nonce + _aes(key).encrypt(nonce, plaintext, associated_data)


def open_bytes(envelope: bytes, key: bytes, *, associated_data: bytes) -> bytes:
    """Open what `seal_bytes` made for the same place; raises `EnvelopeRefused`."""
    return _opened(_aes(key), envelope, associated_data)


def opener(key: bytes) -> Callable[[bytes, bytes], bytes]:
    """Return `open_bytes` for many envelopes under one key: it takes an envelope and its associated data."""
    return partial(_opened, _aes(key))


def canonical_json(value: Mapping[str, Any]) -> bytes:
    """Return the one JSON spelling of a value: keys sorted, no spaces, UTF-8, no NaN.

    Raises `SealingError` without quoting the value (the errors of json and of str.encode do quote it).
    """
    try:
        return _ENCODER.encode(value).encode()
    except (TypeError, ValueError, RecursionError):
        raise SealingError("the content cannot be written as JSON in UTF-8") from None


def parse_json(data: bytes) -> dict[str, Any]:
    """Read back what `canonical_json` wrote; raises `EnvelopeRefused` for what is no JSON object."""
    try:
        value = _DECODER.decode(data.decode())
    except ValueError:
        raise EnvelopeRefused from None
    if not isinstance(value, dict):
        raise EnvelopeRefused
    return value


def pad(data: bytes) -> bytes:
    """Pad to exactly 2,048 bytes (length prefix, data, zeros); raises `PlaintextTooLarge` above 2,046."""
    return _pad_to(data, PLAINTEXT_SIZE)


def unpad(padded: bytes) -> bytes:
    """Return what was padded, whatever the bucket; raises `EnvelopeRefused` when it is no padding of ours."""
    length = int.from_bytes(padded[:_LENGTH_PREFIX], "big")
    data, rest = padded[_LENGTH_PREFIX : _LENGTH_PREFIX + length], padded[_LENGTH_PREFIX + length :]
    if len(data) != length or len(padded) < _LENGTH_PREFIX or rest != bytes(len(rest)):
        raise EnvelopeRefused
    return data


def root_key_id(root_public: bytes) -> str:
    """Return the name of a root's public key: the first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(root_public).hexdigest()[:16]


def week_start(day: date) -> date:
    """Return the Monday of the week: the name of a mailbox key's week (ISO 8601)."""
    return day - timedelta(days=day.weekday())


def sign_public_key(
    root: Ed25519PrivateKey, *, key_id: UUID, organisation_id: UUID, week: date, public_key: bytes
) -> bytes:
    """Sign that this mailbox key (32 raw bytes) is this organisation's for this week; 64 bytes, Ed25519."""
    return root.sign(_signed_statement(key_id, organisation_id, week, public_key))


def verify_public_key(
    root_public: bytes,
    *,
    key_id: UUID,
    organisation_id: UUID,
    week: date,
    public_key: bytes,
    signature: bytes,
) -> None:
    """Raise `PublicKeyRefused` unless the pinned root (32 raw bytes) signed exactly this key for this use."""
    try:
        root = Ed25519PublicKey.from_public_bytes(root_public)
        root.verify(signature, _signed_statement(key_id, organisation_id, week, public_key))
    except (InvalidSignature, ValueError):
        raise PublicKeyRefused from None


@lru_cache(maxsize=2048)
def _parsed_public_key(raw: bytes) -> X25519PublicKey:
    # Parsing is a part of the front's hot path; some 400 organisations have one live key each.
    return X25519PublicKey.from_public_bytes(raw)


def _bucket(length: int, purpose: str) -> int:
    fixed = _FIXED_SIZES.get(purpose.partition(":")[0])
    return fixed or -(-(length + _LENGTH_PREFIX) // NOTE_BUCKET) * NOTE_BUCKET


def _pad_to(data: bytes, size: int) -> bytes:
    length = len(data)
    if length + _LENGTH_PREFIX > size or length > 0xFFFF:
        raise PlaintextTooLarge
    return (length.to_bytes(_LENGTH_PREFIX, "big") + data).ljust(size, b"\x00")


def _case_binding(context: SealContext, purpose: str) -> bytes:
    if not purpose:
        raise SealingError("sealing under a case key needs a purpose")
    return context.info() + purpose.encode()


def _opened(cipher: AESGCM, envelope: bytes, associated_data: bytes) -> bytes:
    try:
        return cipher.decrypt(envelope[:_NONCE_SIZE], envelope[_NONCE_SIZE:], associated_data)
    except (InvalidTag, ValueError):
        raise EnvelopeRefused from None


def _aes(key: bytes) -> AESGCM:
    # AESGCM itself would also take 128 and 192 bits.
    if len(key) != KEY_SIZE:
        raise SealingError("a sealing key has 32 bytes")
    return AESGCM(key)


def _signed_statement(key_id: UUID, organisation_id: UUID, week: date, public_key: bytes) -> bytes:
    if len(public_key) != KEY_SIZE:
        raise PublicKeyRefused
    return b"".join(
        (_MAILBOX_KEY_DOMAIN, key_id.bytes, organisation_id.bytes, week.isoformat().encode(), public_key)
    )
