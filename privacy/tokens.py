"""Privacy Pass tokens of type 2 (RFC 9577, RFC 9578): their bytes, and their check with a public key.

Issuer and front both read this module. It signs nothing and holds no secret.
"""

import hashlib
import struct
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA384

TOKEN_TYPE: Final = 2
EXPONENT: Final = 65537
KEY_BITS: Final = 2048
SIGNATURE_SIZE: Final = KEY_BITS // 8
SALT_SIZE: Final = 48

_TOKEN: Final = struct.Struct(f">H32s32s32s{SIGNATURE_SIZE}s")
_REQUEST: Final = struct.Struct(f">HB{SIGNATURE_SIZE}s")
REQUEST_SIZE: Final = _REQUEST.size
_SPKI_START: Final = bytes.fromhex(
    "30820152303d06092a864886f70d01010a3030a00d300b0609608648016503040202a11a301806092a864886f70d010108"
    "300b0609608648016503040202a2030201300382010f003082010a0282010100"
)
"""A SubjectPublicKeyInfo with id-RSASSA-PSS, SHA-384 and a salt of 48 bytes, up to the modulus."""
_SPKI_END: Final = bytes.fromhex("0203010001")
_PADDING: Final = PSS(MGF1(SHA384()), SALT_SIZE)


class TokenRefused(ValueError):
    """This is no token, or no valid one. Nothing says which rule refused it."""


@dataclass(frozen=True, kw_only=True)
class TokenKey:
    """A public key of an issuer, as the 346 bytes that the directory publishes."""

    encoded: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if (self._around, self.modulus.bit_length()) != (_SPKI_START + _SPKI_END, KEY_BITS):
            raise TokenRefused

    @classmethod
    def of(cls, key: RSAPublicKey) -> Self:
        """Return the token key of an RSA key with 2,048 bits and exponent 65537."""
        modulus = key.public_numbers().n.to_bytes(SIGNATURE_SIZE, "big")
        return cls(encoded=_SPKI_START + modulus + _SPKI_END)

    @property
    def modulus(self) -> int:
        return int.from_bytes(self.encoded[len(_SPKI_START) : -len(_SPKI_END)], "big")

    @property
    def id(self) -> bytes:
        """Return the 32 bytes by which a token names its key."""
        return hashlib.sha256(self.encoded).digest()

    @property
    def public_key(self) -> RSAPublicKey:
        return RSAPublicNumbers(EXPONENT, self.modulus).public_key()

    @property
    def _around(self) -> bytes:
        return self.encoded[: len(_SPKI_START)] + self.encoded[-len(_SPKI_END) :]


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token as a client sends it (RFC 9577, 2.2); the repr shows nothing of it."""

    nonce: bytes = field(repr=False)
    challenge_digest: bytes = field(repr=False)
    key_id: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    @classmethod
    def parse(cls, encoded: bytes) -> Self:
        """Return the parts of a token; raise `TokenRefused` for other bytes."""
        if len(encoded) != _TOKEN.size:
            raise TokenRefused
        kind, nonce, digest, key_id, signature = _TOKEN.unpack(encoded)
        if kind != TOKEN_TYPE:
            raise TokenRefused
        return cls(nonce=nonce, challenge_digest=digest, key_id=key_id, signature=signature)

    def check(self, key: RSAPublicKey) -> None:
        """Raise `TokenRefused` unless the key signed this token with a value below its modulus."""
        signed = struct.pack(">H", TOKEN_TYPE) + self.nonce + self.challenge_digest + self.key_id
        try:
            key.verify(self.signature, signed, _PADDING, SHA384())
        except InvalidSignature:
            raise TokenRefused from None


@dataclass(frozen=True, kw_only=True)
class TokenRequest:
    """A blinded message that a client wants signed (RFC 9578, 6.1)."""

    short_key_id: int
    blinded: bytes = field(repr=False)

    @classmethod
    def parse(cls, encoded: bytes) -> Self:
        """Return the parts of a request; raise `TokenRefused` for other bytes."""
        if len(encoded) != REQUEST_SIZE:
            raise TokenRefused
        kind, short_key_id, blinded = _REQUEST.unpack(encoded)
        if kind != TOKEN_TYPE:
            raise TokenRefused
        return cls(short_key_id=short_key_id, blinded=blinded)


def challenge(*, issuer: str, origin: str) -> bytes:
    """Return the challenge of a service, with an empty redemption context (RFC 9577, 2.1).

    Both are server names with a port where it is not the usual one, as in `issuer.example.org`.
    """
    parts = [issuer.encode("ascii"), b"", origin.encode("ascii")]
    sizes = (">H", ">B", ">H")
    body = (struct.pack(size, len(part)) + part for size, part in zip(sizes, parts, strict=True))
    return struct.pack(">H", TOKEN_TYPE) + b"".join(body)
