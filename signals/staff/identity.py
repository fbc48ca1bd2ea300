"""What tells who somebody is: the spelling of an address, and the sealed TOTP secret of an account."""

import unicodedata
import uuid
from typing import Final, Protocol

from privacy.sealing import open_bytes, seal_bytes
from signals.audit.log import Actor
from signals.models import StaffMember

MAX_PASSWORD: Final = 200


class Secrets(Protocol):
    """Where named secrets of 32 bytes are found; the keystore."""

    def secret(self, name: str) -> bytes:
        """The secret of this name."""
        ...


def normal_email(email: str) -> str:
    """The one spelling of an address by which accounts and guesses are kept apart."""
    return unicodedata.normalize("NFC", email.strip()).lower()


def actor_for(member: StaffMember) -> Actor:
    """This person as the one who acts."""
    return Actor(
        id=member.id, role=member.role.value, organisation_id=member.organisation_id, name=member.name
    )


def seal_totp(keystore: Secrets, member_id: uuid.UUID, totp_secret: str) -> bytes:
    """Seal a TOTP secret (base32) to its account's row."""
    key = keystore.secret("totp")
    return seal_bytes(totp_secret.encode(), key, associated_data=_place_of_totp(member_id))


def open_totp(keystore: Secrets, member: StaffMember) -> str:
    """The TOTP secret of an account; raises `EnvelopeRefused` for one moved from another row."""
    key = keystore.secret("totp")
    return open_bytes(member.totp_sealed, key, associated_data=_place_of_totp(member.id)).decode()


def _place_of_totp(member_id: uuid.UUID) -> bytes:
    return b"staff_members.totp_sealed\x00" + member_id.bytes
