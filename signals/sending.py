"""How messages leave by the settings: the channels, what is filled in while sending, and whether it works."""

from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from notifications.channels import Channel
from notifications.channels.email import EmailChannel, Security, SmtpServer
from notifications.channels.folder import FolderChannel
from notifications.channels.sms import SmsChannel, TwilioAccount
from signals.proof_links import fill_in_code
from signals.reach import EMAIL, SMS
from signals.settings import Settings
from signals.staff.identity import Secrets
from signals.staff.recovery import fill_in_secret

TWILIO_CALLS = "/notifications/twilio/status"


def make_channels(settings: Settings) -> dict[str, Channel]:
    """The channels that these settings allow; without any, messages wait until they expire.

    Text messages are on once all of Twilio's settings are there. The demo's mail folder keeps them off: the
    demo reaches nobody.
    """
    channels: dict[str, Channel] = {}
    email = _email(settings)
    if email is not None:
        channels[EMAIL] = email
    if not settings.twilio.missing and settings.notifications.mail_folder is None:
        channels[SMS] = SmsChannel(account=_twilio(settings))
    return channels


def twilio_token(settings: Settings) -> str:
    """The account's token, which signs Twilio's calls; empty when text messages are off."""
    return "" if settings.twilio.missing else _read(settings.twilio.auth_token_file)


def complete(keystore: Secrets, event: str, subject_id: UUID, values: Mapping[str, str]) -> dict[str, str]:
    """What a message tells, with what no outbox may hold."""
    return fill_in_code(keystore, event, subject_id, fill_in_secret(keystore, event, subject_id, values))


def _email(settings: Settings) -> Channel | None:
    chosen = settings.notifications
    if chosen.mail_folder is not None:
        return FolderChannel(folder=chosen.mail_folder, sender=chosen.sender)
    if not chosen.smtp_host:
        return None
    server = SmtpServer(
        host=chosen.smtp_host,
        port=chosen.smtp_port,
        security=Security(chosen.smtp_security),
        user=chosen.smtp_user,
        password=_read(chosen.smtp_password_file),
    )
    return EmailChannel(server=server, sender=chosen.sender)


def _twilio(settings: Settings) -> TwilioAccount:
    return TwilioAccount(
        account_sid=settings.twilio.account_sid,
        auth_token=twilio_token(settings),
        messaging_service_sid=settings.twilio.messaging_service_sid,
        status_callback=f"{settings.server.public_url.rstrip('/')}{TWILIO_CALLS}",
        timeout_seconds=settings.twilio.timeout_seconds,
        api_url=settings.twilio.api_url,
    )


def _read(file: Path | None) -> str:
    return file.read_text(encoding="utf-8").strip() if file is not None else ""
