"""Receive a report on the public side: route it, seal it, and store it in one atomic write.

Nothing readable touches disk. This module holds public keys and the front's secret, never the keystore.
"""

import json
import uuid
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache, cached_property
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from privacy.receipts import receipt_hash
from privacy.redaction import MARKERS, redact
from privacy.sealing import SCHEMA_VERSION, seal_text_to_mailbox
from signals.clock import Clock, seconds_to_midnight, today
from signals.db import driver_error
from signals.errors import (
    ClearReportRefused,
    FieldProblem,
    Invalid,
    KeyReused,
    MailboxKeyExpired,
    NotesDisabled,
    SignalsError,
    TokenNotAccepted,
    UnprovenFull,
)
from signals.intake.authorisation import Proof, Prover
from signals.intake.content import NOTICED_DAYS_BACK, Report, context_of
from signals.intake.daily_limit import AreaLimit
from signals.intake.front_keys import FrontKeys, Identity
from signals.intake.storage import ReceiptRow, ReportStore, Stored
from signals.intake.unproven_lane import Place, UnprovenLane
from signals.models import SealedReport, SpentToken, UnprovenDay
from signals.models.base import new_id
from signals.routing.rows import OrganisationFacts
from signals.routing.snapshot import Router, SealingKey
from signals.vocabulary import OrganisationKind, ReceiptState

_NOTHING_REDACTED: Final = "{}"
_Make = Callable[[Proof | None], tuple[dict[str, Any], OrganisationFacts]]
"""Return (row, receiver) of a report that a token proves, or none."""


@dataclass(frozen=True, kw_only=True)
class Redaction:
    """How many strings of one kind were removed from a note."""

    kind: str
    count: int

    @property
    def placeholder(self) -> str:
        """Return the word that stands in the note for them."""
        return MARKERS[self.kind]


@dataclass(frozen=True, kw_only=True)
class Received:
    """The answer to a report; a retry gets the same."""

    receipt: str = field(repr=False)
    organisation: OrganisationFacts
    received_on: date
    redactions: tuple[Redaction, ...] | None = ()
    """None when the phone sealed it: nobody here can read a note."""


@dataclass(frozen=True, kw_only=True)
class SealedByPhone:
    """A report that the phone routed and sealed: `envelope` has the bytes of `ENVELOPE_SIZE`."""

    organisation_id: uuid.UUID
    mailbox_key_id: uuid.UUID
    signal_id: uuid.UUID
    envelope: bytes = field(repr=False)

    def canonical(self) -> bytes:
        """Return the bytes that tell a retry from another report."""
        return b"".join(
            [self.organisation_id.bytes, self.mailbox_key_id.bytes, self.signal_id.bytes, self.envelope]
        )


@dataclass(frozen=True, kw_only=True)
class Intake:
    """The tools with which a front process receives reports; each process has one."""

    engine: Engine
    router: Router
    front_secret: bytes = field(repr=False)
    other_secret: bytes | None = field(default=None, repr=False)
    area_limit: AreaLimit
    lane: UnprovenLane
    prover: Prover
    notes_enabled: bool = False
    accepts_clear: bool = True
    in_transaction: bool = False

    def receive(
        self, clock: Clock, *, key: uuid.UUID, report: Report, token: bytes | None = None
    ) -> Received:
        """Store a report once and return its answer; a retry with the same key and body gets the same.

        `token` proves a profession, and the first try spends it.
        Raises `KeyReused` for the same key with another body, `AreaFull` past a limit of its receiver,
        `TokenNotAccepted`, `Invalid` for `noticed_on` out of range, `NotesDisabled`, `NoMailboxKey`,
        `ClearReportRefused`.
        """
        on, body = today(clock), report.canonical()
        identity = self._keys.identity(key, body)
        return self._once(
            identity, clock, lambda proof: self._sealed(identity, report, body, proof, on, clock.now()), token
        )

    def receive_sealed(
        self, clock: Clock, *, key: uuid.UUID, sealed: SealedByPhone, token: bytes | None = None
    ) -> Received:
        """Store an envelope that a phone sealed; a retry gets the same answer. Nothing here can open it.

        Raises `KeyReused`, `AreaFull`, `TokenNotAccepted`, `Invalid` for the id of another report, and
        `MailboxKeyExpired` for a key that is not this week's or not of an organisation that receives: the
        phone then looks up the keys and seals anew.
        """
        identity = self._keys.identity(key, sealed.canonical())
        received = self._once(identity, clock, lambda _proof: self._kept(identity, sealed, clock), token)
        return replace(received, redactions=None)

    def _once(self, identity: Identity, clock: Clock, make: _Make, token: bytes | None) -> Received:
        """Store what `make` returns, (row, receiver), unless its key is known."""
        self._agree(today(clock))
        refusal: SignalsError | None = None
        try:
            if received := self._new(identity, clock, make, token):
                return received
        except SignalsError as error:
            refusal = error
        # A retry is never refused: its first try was accepted, perhaps under yesterday's rules.
        earlier = self.store.find(identity.key_hash)
        if earlier is not None:
            return self._answer(identity, earlier)
        if refusal is not None:
            raise refusal
        # The first try was deleted at this very moment, because its seven days were over.
        return self._once(identity, clock, make, token)

    def receipt_state(self, clock: Clock, receipt: str | None) -> tuple[ReceiptState, date]:
        """Return (state, as of yesterday) of a receipt; the state of one never issued is `unknown`."""
        on = today(clock)
        found = self.store.receipt(receipt_hash(receipt) if receipt else bytes(32))
        return _state_as_of(found, on), on - timedelta(days=1)

    def refused_on(self, on: date, *, noticed_on: date | None, note: str | None) -> tuple[FieldProblem, ...]:
        """Return what the day and the settings refuse of a report."""
        problems = []
        if noticed_on is not None and not on - timedelta(days=NOTICED_DAYS_BACK) <= noticed_on <= on:
            problems.append(FieldProblem(field="noticed_on", code="out_of_range"))
        if note is not None and not self.notes_enabled:
            problems.append(FieldProblem(field="note", code=NotesDisabled.code))
        return tuple(problems)

    def check_storing(self, clock: Clock) -> None:
        """Raise the error that no report could be stored with; store nothing."""
        self._keys.agree(today(clock))
        self.store.check()

    @cached_property
    def store(self) -> ReportStore:
        """The tables that this process writes to."""
        return ReportStore(self.engine, in_transaction=self.in_transaction)

    @cached_property
    def _keys(self) -> FrontKeys:
        secrets = (self.front_secret, self.other_secret)
        return FrontKeys(engine=self.engine, secrets=[secret for secret in secrets if secret])

    @cached_property
    def _agree(self) -> Callable[[date], None]:
        """Look once a day for the secret of the other fronts."""
        return cache(self._keys.agree)

    def _new(self, identity: Identity, clock: Clock, make: _Make, token: bytes | None) -> Received | None:
        """Store a report and return its answer; return None when its key is known."""
        on, now = today(clock), clock.now()
        proof = None if token is None else self.prover.proof(token, on)
        row, receiver = make(proof)
        with self.lane.place(receiver.id, on, now) if proof is None else nullcontext(Place()) as place:
            place.is_taken = self._add(identity, row | self._admission(proof), now)
        if not place.is_taken:
            return None
        self.area_limit.count(receiver.id, on, now)
        redactions = _redactions_from(row["redactions"])
        return Received(
            receipt=identity.receipt, organisation=receiver, received_on=on, redactions=redactions
        )

    def _admission(self, proof: Proof | None) -> dict[str, Any]:
        """Return the values that spend a token, or that take a place in the lane."""
        if proof is None:
            return {"profession": None, "most": self.lane.per_day}
        return {"profession": proof.profession, "nonce_hash": proof.nonce_hash, "week": proof.week}

    def _sealed(
        self, identity: Identity, report: Report, body: bytes, proof: Proof | None, on: date, now: datetime
    ) -> tuple[dict[str, Any], OrganisationFacts]:
        """Return the row to store and the receiver; `body` is the report in its canonical form."""
        if not self.accepts_clear:
            raise ClearReportRefused
        self._refuse_invalid(report, on)
        snapshot = self.router.snapshot()
        route = snapshot.route(report.address.postcode, report.address.number, on)
        receiver, sealing_key = snapshot.receiver(route, on)
        self.area_limit.check(self.store.readers, receiver.id, on, now)
        # After the identity: a retry is recognised by the body as sent.
        if proof is not None:
            report = replace(report, summary=replace(report.summary, profession=proof.profession))
            body = report.canonical()
        content, redactions = _without_what_identifies(report, body)
        signal_id = new_id()
        envelope = seal_text_to_mailbox(
            content, sealing_key.public_key, context_of(signal_id, receiver.id, sealing_key.key_id)
        )
        row = _row(identity, receiver, sealing_key, signal_id=signal_id, on=on, envelope=envelope)
        return row | {"redactions": redactions}, receiver

    def _kept(
        self, identity: Identity, sealed: SealedByPhone, clock: Clock
    ) -> tuple[dict[str, Any], OrganisationFacts]:
        """Return the row of an envelope as it came, and its receiver."""
        on, snapshot = today(clock), self.router.snapshot()
        sealing_key = snapshot.sealing_key(sealed.organisation_id, on)
        if sealing_key is None or sealing_key.key_id != sealed.mailbox_key_id:
            raise MailboxKeyExpired
        receiver = snapshot.organisations[sealed.organisation_id]
        if not receiver.receives(on):
            raise MailboxKeyExpired
        self.area_limit.check(self.store.readers, receiver.id, on, clock.now())
        row = _row(
            identity, receiver, sealing_key, signal_id=sealed.signal_id, on=on, envelope=sealed.envelope
        )
        return row | {"from_phone": True}, receiver

    def _refuse_invalid(self, report: Report, on: date) -> None:
        problems = self.refused_on(on, noticed_on=report.noticed_on, note=report.note)
        if [problem.field for problem in problems] == ["note"]:
            raise NotesDisabled
        if problems:
            raise Invalid(*problems)

    def _add(self, identity: Identity, row: dict[str, Any], now: datetime) -> bool:
        try:
            return self.store.add(row)
        except IntegrityError as error:
            # Two requests at once with one key and body may collide on the receipt's hash first.
            if self.store.find(identity.key_hash) is not None:
                return False
            cause = str(driver_error(error))
            if SealedReport.__tablename__ in cause:
                raise Invalid(FieldProblem(field="signal_id", code="duplicate")) from None
            if SpentToken.__tablename__ in cause:
                raise TokenNotAccepted from None
            if UnprovenDay.__tablename__ in cause:
                self.lane.fill(row["organisation_id"], row["received_on"])
                raise UnprovenFull(seconds_to_midnight(now)) from None
            raise

    def _answer(self, identity: Identity, earlier: Stored) -> Received:
        if earlier.body_mac != identity.body_mac:
            if identity.other is not None:
                return self._answer(identity.other, earlier)
            raise KeyReused
        return Received(
            receipt=identity.receipt,
            organisation=self.router.snapshot().organisations[earlier.organisation_id],
            received_on=earlier.received_on,
            redactions=_redactions_from(earlier.redactions),
        )


def _without_what_identifies(report: Report, body: bytes) -> tuple[bytes, str]:
    """Return the content to seal with a redacted note, and the counts by kind as JSON."""
    if report.note is None:
        return body, _NOTHING_REDACTED
    redacted = redact(report.note)
    # Kinds as keys: ten of them fit in the column's 200 characters, a list of objects would not.
    counts = json.dumps(dict(redacted.counts), separators=(",", ":"))
    return replace(report, note=redacted.text).canonical(), counts


def _redactions_from(stored: str) -> tuple[Redaction, ...]:
    if stored == _NOTHING_REDACTED:
        return ()
    return tuple(Redaction(kind=kind, count=count) for kind, count in dict(json.loads(stored)).items())


def _row(
    identity: Identity,
    receiver: OrganisationFacts,
    key: SealingKey,
    *,
    signal_id: uuid.UUID,
    on: date,
    envelope: bytes,
) -> dict[str, Any]:
    """Return the row of a report that the front sealed and from which it removed nothing."""
    return {
        "idempotency_hash": identity.key_hash,
        "body_mac": identity.body_mac,
        "receipt_hash": receipt_hash(identity.receipt),
        "signal_id": signal_id,
        "organisation_id": receiver.id,
        "mailbox_key_id": key.key_id,
        "schema_version": SCHEMA_VERSION,
        "received_on": on,
        "unrouted": receiver.kind is OrganisationKind.NATIONAL,
        "redactions": _NOTHING_REDACTED,
        "from_phone": False,
        "envelope": envelope,
    }


def _state_as_of(found: ReceiptRow | None, on: date) -> ReceiptState:
    """Return the state at the end of yesterday; on the day of receipt itself, `received`."""
    if found is None:
        return ReceiptState.UNKNOWN
    return ReceiptState(found.state_before if found.changed_on >= on else found.state)
