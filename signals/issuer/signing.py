"""Sign blinded messages with a week's RSA key (RSABSSA-SHA384-PSS-Deterministic, RFC 9474)."""

import secrets

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from gmpy2 import invert, mpz, powmod, powmod_sec

from privacy.tokens import EXPONENT, KEY_BITS, TokenKey, TokenRefused


def new_key() -> tuple[TokenKey, bytes]:
    """Return a new public key, and its private half as PKCS 8."""
    key = generate_private_key(EXPONENT, KEY_BITS)
    return TokenKey.of(key.public_key()), key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


class BlindSigner:
    """A private key that signs what it cannot read; its time tells nothing of the key (RFC 9474, 7.1)."""

    def __init__(self, private: bytes) -> None:
        """Take the private half as PKCS 8."""
        key = load_der_private_key(private, None)
        if not isinstance(key, RSAPrivateKey):
            raise TypeError("not an RSA key")
        numbers = key.private_numbers()
        self._n, self._p, self._q = mpz(numbers.public_numbers.n), mpz(numbers.p), mpz(numbers.q)
        self._dp, self._dq, self._qi = mpz(numbers.dmp1), mpz(numbers.dmq1), mpz(numbers.iqmp)

    def sign(self, blinded: bytes) -> bytes:
        """Return the signature of a blinded message, both as long as n; raise `TokenRefused` for n or more.

        A check comes last: a fault in one half of the calculation would give the key away.
        """
        message = mpz(int.from_bytes(blinded, "big"))
        if message >= self._n:
            raise TokenRefused
        mask = mpz(secrets.randbelow(int(self._n) - 2) + 2)
        masked = message * powmod(mask, EXPONENT, self._n) % self._n
        signature = self.private_operation(masked) * invert(mask, self._n) % self._n
        if powmod(signature, EXPONENT, self._n) != message:
            raise ArithmeticError("a signature does not fit its message")
        return int(signature).to_bytes((self._n.bit_length() + 7) // 8, "big")

    def private_operation(self, message: mpz) -> mpz:
        """Return `message` to the private exponent, by the Chinese remainder theorem in constant time."""
        by_p = powmod_sec(message % self._p, self._dp, self._p)
        by_q = powmod_sec(message % self._q, self._dq, self._q)
        return by_q + self._q * ((by_p - by_q) * self._qi % self._p)
