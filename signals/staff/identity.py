"""Spell e-mail addresses in one way, and seal the TOTP secret of an account."""

import unicodedata
import uuid
from typing import Final, Protocol

from email_validator import EmailNotValidError, validate_email

from privacy.sealing import open_bytes, seal_bytes
from signals.audit.log import Actor
from signals.models import StaffMember

MAX_PASSWORD: Final = 200


class Secrets(Protocol):
    """A store of named secrets of 32 bytes; the keystore is one."""

    def secret(self, name: str) -> bytes:
        """Return the secret with this name."""
        ...


def normal_email(email: str) -> str:
    """Return the one spelling of an address by which accounts and guesses are found."""
    return unicodedata.normalize("NFC", email.strip()).lower()


def checked_email(email: str) -> str | None:
    """Return the one spelling of an address, or None when it is not a valid address."""
    try:
        return normal_email(validate_email(email.strip(), check_deliverability=False).normalized)
    except EmailNotValidError:
        return None  # its message quotes the typed text


def actor_for(member: StaffMember) -> Actor:
    """Return this person as an actor."""
    return Actor(
        id=member.id, role=member.role.value, organisation_id=member.organisation_id, name=member.name
    )


def seal_totp(keystore: Secrets, member_id: uuid.UUID, totp_secret: str) -> bytes:
    """Seal a TOTP secret (base32) to the row of its account."""
    key = keystore.secret("totp")
    return seal_bytes(totp_secret.encode(), key, associated_data=_place_of_totp(member_id))


def open_totp(keystore: Secrets, member: StaffMember) -> str:
    """Return the TOTP secret of an account. Raises `EnvelopeRefused` for a secret of another row."""
    key = keystore.secret("totp")
    return open_bytes(member.totp_sealed, key, associated_data=_place_of_totp(member.id)).decode()


def _place_of_totp(member_id: uuid.UUID) -> bytes:
    return b"staff_members.totp_sealed\x00" + member_id.bytes
