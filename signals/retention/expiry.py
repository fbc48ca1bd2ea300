"""Delete what expires beside the signals: links, receipts, records, register, sessions, accounts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import CursorResult, Delete, Table, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from privacy.bulk import insert_many
from privacy.keystore import Keystore
from privacy.sealing import week_start
from signals.arrival.repeats import oldest_kept, probes_for
from signals.casework.access import open_for_job
from signals.clock import Clock, today
from signals.intake.authorisation import GRACE
from signals.models import (
    AccountLink,
    AddressLink,
    Approval,
    DeletionRecord,
    IdempotencyKey,
    Passkey,
    Receipt,
    Referral,
    RegisterEntry,
    SealedReport,
    Signal,
    SpentToken,
    StaffMember,
    StaffSession,
    UnprovenDay,
)
from signals.vocabulary import ReceiptState

RECORDS_KEPT_DAYS = 730
RECEIPTS_KEPT_DAYS = 365
LINKS_KEPT_DAYS = 365
NOBODY: Final = "removed.invalid"
"""The domain of an emptied account's address; no such domain can exist (RFC 2606)."""


@dataclass(frozen=True, kw_only=True)
class Expiry:
    """Hold for how many days each kind is kept; config.example.toml gives the legal grounds."""

    referrals: int = 730
    register: int = 1826
    sessions: int = 30
    approvals: int = 730
    accounts: int = 731
    journal: int = RECORDS_KEPT_DAYS


def forget_links(session: Session, clock: Clock) -> int:
    """Delete links older than twelve months and return how many; their keys go in the same run.

    Links of stored signals stay, such as a restricted one (art. 18 AVG): see `renew_links`.
    """
    over = AddressLink.received_on < _year_ago(today(clock))
    # NOT EXISTS, here and below: it looks up one signal a row, where NOT IN reads all signals for each.
    lives = exists().where(Signal.id == AddressLink.signal_id)
    return _count(session, delete(AddressLink).where(over, ~lives))


def renew_links(session: Session, clock: Clock, *, keystore: Keystore) -> int:
    """Move links of signals that outlive their quarter's key to this quarter's key; return how many.

    An officer must find a signal by address as long as it is kept, to lift a restriction or to erase it.
    """
    on = today(clock)
    outlived = select(AddressLink, Signal).join(Signal, Signal.id == AddressLink.signal_id)
    over = AddressLink.received_on < _year_ago(on), AddressLink.quarter < oldest_kept(on)
    rows = session.execute(outlived.where(*over)).all()
    reports = open_for_job(keystore, {signal.id: signal for _link, signal in rows}.values())
    readable = [(link, reports[signal.id].address) for link, signal in rows if signal.id in reports]
    probes = probes_for(keystore, [(link.organisation_id, address) for link, address in readable], on)
    renewed = [(link, probe) for (link, _), probe in zip(readable, probes, strict=True) if probe.has_own]
    for link, probe in renewed:
        link.quarter = probe.quarter
        link.pseudonym, link.house_pseudonym = probe.own
    session.flush()
    return len(renewed)


def _year_ago(on: date) -> date:
    return on - timedelta(days=LINKS_KEPT_DAYS)


def forget_remains(session: Session, clock: Clock, expiry: Expiry) -> int:
    """Delete everything else that expired, and empty old accounts; return how many rows."""
    return sum(_count(session, statement) for statement in _expired(clock, expiry)) + _empty_accounts(
        session, clock.now() - timedelta(days=expiry.accounts)
    )


def _expired(clock: Clock, expiry: Expiry) -> Iterator[Delete]:
    on, now = today(clock), clock.now()
    yield delete(Receipt).where(Receipt.changed_on < on - timedelta(days=RECEIPTS_KEPT_DAYS))
    yield delete(DeletionRecord).where(
        DeletionRecord.deleted_on < on - timedelta(days=RECORDS_KEPT_DAYS),
        DeletionRecord.key_destroyed_on.is_not(None),
    )
    # An erasure must find where a stored signal went (art. 19 AVG).
    yield delete(Referral).where(
        Referral.referred_on < on - timedelta(days=expiry.referrals),
        Referral.key_destroyed_on.is_not(None),
        ~exists().where(Signal.id == Referral.signal_id),
    )
    yield delete(RegisterEntry).where(RegisterEntry.recorded_on < on - timedelta(days=expiry.register))
    ended = now - timedelta(days=expiry.sessions)
    yield delete(StaffSession).where(or_(StaffSession.expires_at < ended, StaffSession.revoked_at < ended))
    decided = func.coalesce(Approval.decided_at, Approval.asked_at)
    yield delete(Approval).where(decided < now - timedelta(days=expiry.approvals))


def _empty_accounts(session: Session, before: datetime) -> int:
    """Remove name, address and credentials from accounts that were disabled before a moment.

    The row keeps its id and role, because history, register and audit trail refer to the id.
    """
    over = select(StaffMember).where(
        StaffMember.disabled_at < before, StaffMember.email.not_like(f"%@{NOBODY}")
    )
    members = session.scalars(over.with_for_update()).all()
    for owned in (StaffSession, Passkey, AccountLink):
        theirs = owned.staff_member_id.in_([member.id for member in members])
        session.execute(delete(owned).where(theirs))
    for member in members:
        member.name, member.email = "-", f"{member.id}@{NOBODY}"
        member.password_hash, member.totp_sealed, member.totp_last_step = "", b"", None
        member.identity_issuer = member.identity_subject = member.printed_hash = None
    session.flush()
    return len(members)


def _count(session: Session, statement: Delete) -> int:
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def forget_admissions(session: Session, on: date) -> None:
    """Delete spent tokens that are too old to be accepted, and the counts of past days."""
    session.execute(delete(SpentToken).where(SpentToken.week < week_start(on) - GRACE))
    session.execute(delete(UnprovenDay).where(UnprovenDay.day < on))


def forget_idempotency_keys(session: Session, *, before: date) -> int:
    """Delete the keys of earlier reports that neither wait nor were refused; return how many.

    Their receipts stay `received` until they change. One statement chooses the rows: with two, a report that
    arrives in between loses its receipt.
    """
    waiting = exists().where(SealedReport.receipt_hash == IdempotencyKey.receipt_hash)
    forgotten = delete(IdempotencyKey).where(IdempotencyKey.received_on < before, ~waiting)
    rows = session.execute(forgotten.returning(IdempotencyKey.receipt_hash, IdempotencyKey.received_on)).all()
    known = [row for row in rows if row.receipt_hash is not None]
    hashes, days = [row.receipt_hash for row in known], [row.received_on for row in known]
    columns, received = {"receipt_hash": hashes, "changed_on": days}, ReceiptState.RECEIVED
    same = {"state": received, "state_before": received}
    insert_many(session.connection(), cast(Table, Receipt.__table__), columns, same, unless=("receipt_hash",))
    return len(rows)
