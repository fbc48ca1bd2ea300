"""The channels to systems of organisations: the case system gets a hand-over, any other system an event.

A connection is looked up at each try, so nothing goes to a system that was disconnected meanwhile.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC
from functools import partial
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications.channels import Sent, SystemChannel
from notifications.channels.webhook import CloudEvent, Webhook, post_event
from notifications.channels.zgw import CaseSystem, Filing, file_case
from notifications.events import DATES, Event
from notifications.leasing import Lease
from notifications.retry import PermanentFailure, TemporaryFailure
from notifications.states import Switch
from signals.casework.steps import may_leave
from signals.errors import SignalsError
from signals.models import Connection, Signal
from signals.models.connection import SystemKind
from signals.operation import Operation
from signals.organisations.connections import guarded_http, webhook_secret
from signals.settings import Settings

EVENT_TYPE: Final = "nl.deurpost.signaal.stand-gewijzigd"

Begin = Callable[[], AbstractContextManager[Operation]]
"""Opens a transaction for an operation of the system, and commits it."""
HandoverPdf = Callable[[Begin, Signal], bytes]
"""Returns the hand-over of a signal; its entry in the trail is committed first."""


def make_systems(settings: Settings, begin: Begin, handover_pdf: HandoverPdf) -> dict[str, SystemChannel]:
    """Return the channels to systems that these settings allow."""
    made: dict[str, SystemChannel] = {
        SystemKind.ZGW: CaseSystemChannel(settings=settings, begin=begin, handover_pdf=handover_pdf),
        SystemKind.WEBHOOK: EventChannel(settings=settings, begin=begin),
    }
    on = [switch.channel for switch in system_switches(settings) if not switch.missing]
    return {channel: made[channel] for channel in on}


def system_switches(settings: Settings) -> list[Switch]:
    """Return each channel with its missing settings. The mail folder of the demo keeps both off."""
    off = ("demo",) if settings.notifications.mail_folder is not None else ()
    no_secrets = () if settings.systems.secrets_folder is not None else ("systems.secrets_folder",)
    return [
        Switch(channel=SystemKind.ZGW, missing=off or no_secrets),
        Switch(channel=SystemKind.WEBHOOK, missing=off),
    ]


def why_obsolete_for_system(session: Session, event: str, signal_id: UUID, recipient: str) -> str | None:
    """Return a code when nothing may go to this system about a signal any more, and None when it must."""
    connection = session.get(Connection, _connection_id(recipient))
    if connection is None:
        return "disconnected"
    signal = session.get(Signal, signal_id)
    if signal is None:
        return "gone"
    if signal.organisation_id != connection.organisation_id:
        return "referred"
    if signal.restricted_on is not None:
        return "restricted"
    return "reopened" if event == Event.CASE_HANDOVER and not may_leave(signal) else None


@dataclass(frozen=True, kw_only=True)
class CaseSystemChannel:
    """Hand concluded signals over to the case system of their organisation."""

    settings: Settings
    begin: Begin = field(repr=False)
    handover_pdf: HandoverPdf = field(repr=False)

    def pass_on(self, message: Lease) -> Sent:
        with self.begin() as reading:
            connection, signal = _about(reading.session, message)
            system = self._system(connection, reading)
            reading.session.expunge_all()
        zaak = file_case(system, _filing(signal, self.settings), partial(self._content, message))
        with self.begin() as noting:
            filed = noting.session.get(Signal, signal.id, with_for_update=True)
            if filed is not None and filed.organisation_id == signal.organisation_id:
                filed.filed_on = noting.today
        return Sent(provider_message_id=zaak)

    def _system(self, connection: Connection, reading: Operation) -> CaseSystem:
        folder = self.settings.systems.secrets_folder
        try:
            assert folder is not None
            secret = (folder / f"{connection.organisation_id}.secret").read_text(encoding="utf-8").strip()
        except OSError:
            raise TemporaryFailure("zgw_secret") from None
        http = guarded_http(self.settings)
        return CaseSystem(**connection.settings, secret=secret, http=http, clock=reading.clock)

    def _content(self, message: Lease) -> bytes:
        """Return the PDF; somebody may have disconnected the system while it was asked what it has."""
        with self.begin() as reading:
            _connection, signal = _about(reading.session, message)
            reading.session.expunge_all()
        try:
            return self.handover_pdf(self.begin, signal)
        except SignalsError as refused:  # reopened, restricted or purged just now
            raise PermanentFailure(f"handover_{refused.code}") from None


@dataclass(frozen=True, kw_only=True)
class EventChannel:
    """Post events to the webhook of an organisation."""

    settings: Settings
    begin: Begin = field(repr=False)

    def pass_on(self, message: Lease) -> Sent:
        assert message.begun_at is not None
        with self.begin() as reading:
            connection, signal = _about(reading.session, message)
            secret = webhook_secret(reading.keystore, connection.id)
            url, reference = connection.settings["url"], signal.reference
        event = CloudEvent(
            id=message.id,
            source=self.settings.systems.events_source or self.settings.server.public_url,
            type=EVENT_TYPE,
            subject=str(message.subject_id),
            data={
                "id": str(message.subject_id),
                "reference": reference,
                "state": message.values["state"],
                "day": message.values[DATES[Event.STATE_CHANGED]],
            },
        )
        webhook = Webhook(url=url, secret=secret, http=guarded_http(self.settings))
        return post_event(webhook, event, message.begun_at)


def _about(session: Session, message: Lease) -> tuple[Connection, Signal]:
    """Return the system and the signal of a message; either may be gone since it was found due."""
    connection = session.get(Connection, _connection_id(message.recipient))
    query = select(Signal).where(
        Signal.id == message.subject_id, Signal.organisation_id == message.organisation_id
    )
    signal = session.scalar(query)
    if connection is None or signal is None:
        raise PermanentFailure("handover_not_found")
    return connection, signal


def _connection_id(recipient: str) -> UUID:
    return UUID(recipient.partition("/")[0])


def _filing(signal: Signal, settings: Settings) -> Filing:
    """Return what is filed. A second conclusion adds a document to the zaak of the first."""
    assert signal.concluded_at is not None
    name = f"SIGNAAL-{signal.reference}"
    moment = signal.concluded_at.astimezone(UTC)
    return Filing(
        zaak=name,
        document=f"{name}-{moment:%Y%m%d%H%M%S}",
        title=f"Overdracht van signaal {signal.reference}",
        author=settings.scheme.name,
        on=moment.date(),
    )
