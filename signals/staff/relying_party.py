"""Ask devices for WebAuthn (level 2) answers and verify those answers with the `webauthn` library.

The library loads slowly and few requests need it, so each function imports it late.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from signals.errors import SignalsError, SignInFailed
from signals.models import Passkey, StaffMember

MAX_ANSWER: Final = 16 * 1024
_LOOPBACK: Final = "localhost"


class PasskeyRefused(SignalsError):
    """The device's answer does not prove what was asked."""

    code = "passkey_refused"


@dataclass(frozen=True, kw_only=True)
class RelyingParty:
    """The site that passkeys belong to. `id` is a domain, `origin` is the origin of its pages."""

    id: str
    origin: str
    name: str

    @property
    def host(self) -> str:
        """Return host and port, as a browser sends them."""
        return urlsplit(self.origin).netloc


def relying_party(public_url: str, name: str) -> RelyingParty | None:
    """Return the relying party of a site, or None where a browser allows no passkeys.

    WebAuthn knows no IP addresses and needs https. `localhost` is the exception to both.
    """
    parts = urlsplit(public_url)
    host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    address = _ip_address(host)
    if address is not None and not address.is_loopback:
        return None
    if address is not None:
        host = _LOOPBACK
    if parts.scheme != "https" and host != _LOOPBACK:
        return None
    return RelyingParty(id=host, origin=f"{parts.scheme}://{host}{port}", name=name)


def creation_options(
    party: RelyingParty, member: StaffMember, challenge: bytes, known: Iterable[Passkey]
) -> str:
    """Return JSON for `navigator.credentials.create`: a discoverable credential that verifies the person."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers import structs

    options = generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=member.id.bytes,
        user_name=member.email,
        user_display_name=member.name,
        challenge=challenge,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=one.credential_id) for one in known],
    )
    return options_to_json(options)


def request_options(party: RelyingParty, challenge: bytes) -> str:
    """Return JSON for `navigator.credentials.get`: any passkey of this site."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    options = generate_authentication_options(
        rp_id=party.id, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
    )
    return options_to_json(options)


def verified_registration(party: RelyingParty, answer: str, challenge: bytes) -> Any:
    """Return the library's result for a new credential. Raises `PasskeyRefused`."""
    from webauthn import verify_registration_response

    return _checked(
        lambda: verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    )


def verified_count(party: RelyingParty, passkey: Passkey, answer: str, challenge: bytes) -> int:
    """Verify a use of a passkey and return the counter of its device. Raises `PasskeyRefused`.

    The caller compares the counter with the stored one, after this check of the signature.
    """
    from webauthn import verify_authentication_response

    handle = parsed(answer).response.user_handle
    if handle is not None and handle != passkey.staff_member_id.bytes:
        raise PasskeyRefused
    verified = _checked(
        lambda: verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    )
    return int(verified.new_sign_count)


def parsed(answer: str) -> Any:
    """Return an answer to `navigator.credentials.get`. Raises `SignInFailed` for anything else."""
    from webauthn.helpers import parse_authentication_credential_json

    try:
        return _checked(lambda: parse_authentication_credential_json(answer[: MAX_ANSWER + 1]))
    except PasskeyRefused:
        raise SignInFailed from None


def challenge_in(answer: str) -> bytes:
    """Return the challenge that an answer names. Raises `PasskeyRefused` when it names none."""
    from webauthn.helpers import base64url_to_bytes, parse_client_data_json

    if len(answer) > MAX_ANSWER:
        raise PasskeyRefused

    def read() -> bytes:
        client_data = base64url_to_bytes(json.loads(answer)["response"]["clientDataJSON"])
        return parse_client_data_json(client_data).challenge

    found: bytes = _checked(read)
    return found


def _checked(check: Callable[[], Any]) -> Any:
    """Turn every error of the library into `PasskeyRefused`: its messages quote the answer."""
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        return check()
    except (WebAuthnException, ValueError, TypeError, LookupError, AttributeError):
        raise PasskeyRefused from None


def _ip_address(host: str) -> Any:
    try:
        return ip_address(host)
    except ValueError:
        return None
