"""Links that prove that a mailbox or a phone is read: they work without sign-in and reveal nothing.

The database stores a link without its last part, the code. The sending worker adds the code, so a reader of
the database cannot follow the link.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from notifications.events import Event
from privacy.link_codes import LinkCodes
from signals.staff.identity import Secrets

WITH_CODE: Final = frozenset({Event.DRILL, Event.RECIPIENT_CHECK, Event.DEPUTY_CHECK})
PREFIX: Final = "/desk/channel"
RECIPIENT: Final = "recipient"
DEPUTY: Final = "deputy"


@dataclass(frozen=True, kw_only=True)
class VerificationLink:
    """The parts of a link that proves one address, in one role, until a date.

    `subject_id`: the recipient, or the organisation of the deputy. Every part comes from the visitor: check
    `is_live` first.
    """

    role: str
    subject_id: UUID
    address_code: str
    valid_until: str
    code: str = field(default="", repr=False)

    @property
    def path(self) -> str:
        """Return the stored path, without the code."""
        return f"{PREFIX}/{self.role}/{self.subject_id}/{self.address_code}/{self.valid_until}"

    def is_live(self, keystore: Secrets, on: date) -> bool:
        """Return whether this service made the link and it is not too old."""
        return path_codes(keystore).fits(self.code, self.path) and on.isoformat() <= self.valid_until

    def is_about(self, keystore: Secrets, address: str) -> bool:
        """Return whether the link was sent to this address."""
        return _address_codes(keystore).fits(self.address_code, address)


def fill_in_code(
    keystore: Secrets, event: str, _subject_id: UUID, values: Mapping[str, str]
) -> dict[str, str]:
    """Return the values of a message, with the code added to a link that proves something."""
    if event not in WITH_CODE:
        return dict(values)
    link = values["link"]
    return {**values, "link": f"{link}/{path_codes(keystore).code(urlsplit(link).path)}"}


def path_codes(keystore: Secrets) -> LinkCodes:
    """Return the codes of stored paths."""
    return LinkCodes(keystore.secret("proof-links"), "path")


def address_code(keystore: Secrets, address: str) -> str:
    """Return a code of an address: it ties a link to the address and does not reveal it."""
    return _address_codes(keystore).code(address)


def _address_codes(keystore: Secrets) -> LinkCodes:
    return LinkCodes(keystore.secret("proof-links"), "address")
