"""Links that prove a mailbox or a phone is read: they work without sign-in, and tell and show nothing.

A link is stored without its last part, a code under a key of the keystore that is put behind it while the
message is sent: whoever reads the database cannot follow it.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from notifications.events import Event
from signals.staff.identity import Secrets

WITH_CODE: Final = frozenset({Event.DRILL, Event.RECIPIENT_CHECK, Event.DEPUTY_CHECK})
PREFIX: Final = "/desk/channel"
RECIPIENT: Final = "recipient"
DEPUTY: Final = "deputy"


@dataclass(frozen=True, kw_only=True)
class VerificationLink:
    """The parts of a link that proves one address: whose it is, as what, and until when it works.

    `subject_id`: of a recipient, or of the organisation whose deputy is asked. All of it comes from whoever
    opens the page, so nothing is believed before `is_live`.
    """

    role: str
    subject_id: UUID
    address_code: str
    valid_until: str
    code: str = field(default="", repr=False)

    @property
    def path(self) -> str:
        """The link as it is stored, without its code."""
        return f"{PREFIX}/{self.role}/{self.subject_id}/{self.address_code}/{self.valid_until}"

    def is_live(self, keystore: Secrets, on: date) -> bool:
        """Whether it is one of ours and not too old."""
        return is_code_of(keystore, self.path, self.code) and on.isoformat() <= self.valid_until

    def is_about(self, keystore: Secrets, address: str) -> bool:
        """Whether it was sent to this address."""
        return hmac.compare_digest(fingerprint(keystore, address).encode(), self.address_code.encode())


def fill_in_code(
    keystore: Secrets, event: str, _subject_id: UUID, values: Mapping[str, str]
) -> dict[str, str]:
    """What a message says, with the code behind the link of those that prove something."""
    if event not in WITH_CODE:
        return dict(values)
    link = values["link"]
    return {**values, "link": f"{link}/{code_of(keystore, urlsplit(link).path)}"}


def code_of(keystore: Secrets, path: str) -> str:
    """The code of a path: 128 bits in base64url, 22 characters."""
    mac = hmac.new(keystore.secret("proof-links"), b"proof-link/v1\x00" + path.encode(), hashlib.sha256)
    return urlsafe_b64encode(mac.digest()[:16]).decode().rstrip("=")


def is_code_of(keystore: Secrets, path: str, code: str) -> bool:
    """Whether a code belongs to a path, compared in constant time."""
    return hmac.compare_digest(code_of(keystore, path).encode(), code.encode())


def fingerprint(keystore: Secrets, address: str) -> str:
    """32 bits under a key, so that a link is about the address it was sent to and tells it nobody."""
    mac = hmac.new(keystore.secret("proof-links"), b"address/v1\x00" + address.encode(), hashlib.sha256)
    return mac.hexdigest()[:8]
