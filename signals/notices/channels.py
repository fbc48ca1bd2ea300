"""The channels by the settings, the secrets that sending adds, and a check that channels work."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from notifications.channels import Channel, KeepsConnection, Outgoing
from notifications.channels.email import EmailChannel, Security, SmtpServer
from notifications.channels.folder import FolderChannel
from notifications.channels.sms import SmsChannel, TwilioAccount
from notifications.events import Event
from notifications.rendering import render
from notifications.retry import DeliveryFailure
from notifications.states import Switch
from signals.clock import Clock, today
from signals.errors import FieldProblem, Invalid
from signals.organisations.addressing import EMAIL, SMS
from signals.organisations.recipients import normal_phone
from signals.organisations.verification_links import fill_in_code
from signals.settings import Settings
from signals.staff.identity import Secrets
from signals.staff.recovery import fill_in_secret

TWILIO_CALLS = "/notifications/twilio/status"


def make_channels(settings: Settings) -> dict[str, Channel]:
    """Return the channels that these settings allow; without any, messages wait until they expire.

    Text messages are on when all of Twilio's settings are present. The mail folder of the demo keeps them
    off: the demo contacts nobody.
    """
    channels: dict[str, Channel] = {}
    email = _email(settings)
    if email is not None:
        channels[EMAIL] = email
    if not settings.twilio.missing and settings.notifications.mail_folder is None:
        channels[SMS] = SmsChannel(account=_twilio(settings))
    return channels


def switches(settings: Settings) -> list[Switch]:
    """Return each channel with its missing settings."""
    chosen = settings.notifications
    email = () if chosen.smtp_host or chosen.mail_folder is not None else ("notifications.smtp_host",)
    # The mail folder of the demo keeps text messages off in any case.
    sms = settings.twilio.missing if chosen.mail_folder is None else settings.twilio.missing or ("demo",)
    return [Switch(channel=EMAIL, missing=email), Switch(channel=SMS, missing=sms)]


@dataclass(frozen=True, kw_only=True)
class ChannelCheck:
    """One channel: on or off, and the class of its failure."""

    channel: str
    on: bool
    problem: str | None = None


def check_channels(settings: Settings) -> Iterator[ChannelCheck]:
    """Sign in at each provider, without a message."""
    channels = make_channels(settings)
    for name in (EMAIL, SMS):
        yield ChannelCheck(channel=name, on=name in channels, problem=_problem_of(channels.get(name)))


def send_test(settings: Settings, clock: Clock, *, to: str) -> str:
    """Send a test message at once; return the provider's id.

    `to`: an e-mail address, or a mobile number for a text message. Raises `Invalid` for another text and for
    a channel that is off, and `DeliveryFailure`.
    """
    channel, recipient = (EMAIL, to) if "@" in to else (SMS, normal_phone(to))
    channels = make_channels(settings)
    if channel not in channels:
        raise Invalid(FieldProblem(field="channel", code="is_off"))
    link = f"{settings.server.public_url.rstrip('/')}/desk"
    words = render(Event.TEST_MESSAGE, "nl", {"link": link, "sent_on": today(clock).isoformat()})
    message = Outgoing(id=uuid4(), recipient=recipient, language="nl", at=clock.now(), **vars(words))
    try:
        return channels[channel].send(message).provider_message_id
    finally:
        rest(channels)


def rest(channels: Mapping[str, Channel]) -> None:
    """End the connections to providers while there is nothing to send."""
    for channel in channels.values():
        if isinstance(channel, KeepsConnection):
            channel.rest()


def _problem_of(channel: Channel | None) -> str | None:
    if not isinstance(channel, EmailChannel | SmsChannel):
        return None
    try:
        channel.check()
    except DeliveryFailure as failure:
        return failure.problem
    return None


def twilio_token(settings: Settings) -> str:
    """Return the account's token, which signs Twilio's calls; empty when text messages are off."""
    return "" if settings.twilio.missing else _read(settings.twilio.auth_token_file)


def complete(keystore: Secrets, event: str, subject_id: UUID, values: Mapping[str, str]) -> dict[str, str]:
    """Return the values of a message, with the secrets that no outbox may hold."""
    return fill_in_code(keystore, event, subject_id, fill_in_secret(keystore, event, subject_id, values))


def _email(settings: Settings) -> Channel | None:
    chosen = settings.notifications
    if chosen.mail_folder is not None:
        return FolderChannel(folder=chosen.mail_folder, sender=chosen.sender, name=settings.scheme.name)
    if not chosen.smtp_host:
        return None
    server = SmtpServer(
        host=chosen.smtp_host,
        port=chosen.smtp_port,
        security=Security(chosen.smtp_security),
        user=chosen.smtp_user,
        password=_read(chosen.smtp_password_file),
        ca_file=settings.ca_file,
    )
    return EmailChannel(server=server, sender=chosen.sender, name=settings.scheme.name)


def _twilio(settings: Settings) -> TwilioAccount:
    return TwilioAccount(
        account_sid=settings.twilio.account_sid,
        auth_token=twilio_token(settings),
        messaging_service_sid=settings.twilio.messaging_service_sid,
        status_callback=f"{settings.server.public_url.rstrip('/')}{TWILIO_CALLS}",
        timeout_seconds=settings.twilio.timeout_seconds,
        api_url=settings.twilio.api_url,
        ca_file=settings.ca_file,
    )


def _read(file: Path | None) -> str:
    return file.read_text(encoding="utf-8").strip() if file is not None else ""
