"""Many HMACs under one key."""

import hashlib
import hmac

import pytest

from privacy.macs import many_macs


@pytest.mark.parametrize("key_size", [0, 1, 32, 64, 65, 200])
@pytest.mark.parametrize("size", [0, 1, 55, 56, 64, 183, 5000])
def test_many_macs_under_one_key_are_hmac_sha256(key_size: int, size: int) -> None:
    key, mac = bytes(range(key_size)), many_macs(bytes(range(key_size)))
    messages = [bytes([number]) * size for number in (1, 2)]
    assert [mac(message) for message in messages] == [
        hmac.digest(key, message, hashlib.sha256) for message in messages
    ]
