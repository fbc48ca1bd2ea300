"""The phone's side of Privacy Pass type 2, for tests: blind a token, and unblind its signature."""

import hashlib
import secrets
import struct
from dataclasses import dataclass
from typing import Self

from privacy.tokens import TOKEN_TYPE, TokenKey

_HASH_SIZE, _SALT_SIZE = 48, 48


def blind(modulus: int, message: bytes, *, salt: bytes, mask: int) -> bytes:
    """Return the blinded PSS encoding of a message (RFC 9474, 4.2)."""
    encoded = int.from_bytes(pss_encode(message, modulus.bit_length() - 1, salt), "big")
    return (encoded * pow(mask, 65537, modulus) % modulus).to_bytes(-(-modulus.bit_length() // 8), "big")


def finalize(modulus: int, signature: bytes, *, mask: int) -> bytes:
    """Return the signature of the message itself (RFC 9474, 4.4)."""
    return (int.from_bytes(signature, "big") * pow(mask, -1, modulus) % modulus).to_bytes(
        len(signature), "big"
    )


def pss_encode(message: bytes, bits: int, salt: bytes) -> bytes:
    """EMSA-PSS-ENCODE with SHA-384 (RFC 8017, 9.1.1)."""
    size = -(-bits // 8)
    digest = hashlib.sha384(bytes(8) + hashlib.sha384(message).digest() + salt).digest()
    block = bytes(size - len(salt) - _HASH_SIZE - 2) + b"\x01" + salt
    masked = bytearray(a ^ b for a, b in zip(block, _mgf1(digest, len(block)), strict=True))
    masked[0] &= 0xFF >> (8 * size - bits)
    return bytes(masked) + digest + b"\xbc"


def _mgf1(seed: bytes, size: int) -> bytes:
    rounds = range(-(-size // _HASH_SIZE))
    return b"".join(hashlib.sha384(seed + struct.pack(">I", one)).digest() for one in rounds)[:size]


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A token that waits for its signature."""

    key: TokenKey
    signed: bytes
    salt: bytes
    mask: int

    @classmethod
    def new(cls, key: TokenKey, challenge: bytes) -> Self:
        """Make a token for a challenge, with a random nonce."""
        nonce, digest = secrets.token_bytes(32), hashlib.sha256(challenge).digest()
        return cls(
            key=key,
            signed=struct.pack(">H", TOKEN_TYPE) + nonce + digest + key.id,
            salt=secrets.token_bytes(_SALT_SIZE),
            mask=secrets.randbelow(key.modulus - 2) + 2,
        )

    @property
    def request(self) -> bytes:
        """Return the body of `POST /token-request`."""
        blinded = blind(self.key.modulus, self.signed, salt=self.salt, mask=self.mask)
        return struct.pack(">HB", TOKEN_TYPE, self.key.id[-1]) + blinded

    def token(self, response: bytes) -> bytes:
        """Return the token, from the answer of the issuer."""
        return self.signed + finalize(self.key.modulus, response, mask=self.mask)
