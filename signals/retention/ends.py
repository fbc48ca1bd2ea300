"""The ends of all that is kept beside the signals: links, receipts, records, register, sessions, accounts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import CursorResult, Delete, delete, func, or_, select, update
from sqlalchemy.orm import Session

from privacy.keystore import Keystore
from signals.arrival.repeats import oldest_kept, probes_for
from signals.clock import Clock, today
from signals.intake.content import open_reports
from signals.models import (
    AccountLink,
    AddressLink,
    Approval,
    DeletionRecord,
    Passkey,
    Receipt,
    Referral,
    RegisterEntry,
    Signal,
    StaffMember,
    StaffSession,
)

RECORDS_KEPT_DAYS = 730
RECEIPTS_KEPT_DAYS = 365
LINKS_KEPT_DAYS = 365
NOBODY: Final = "removed.invalid"
"""Where the address of an emptied account ends; no such domain can exist (RFC 2606)."""


@dataclass(frozen=True, kw_only=True)
class Ends:
    """Days that each is kept: settings, whose legal grounds stand in config.example.toml."""

    referrals: int = 730
    register: int = 1826
    sessions: int = 30
    approvals: int = 730
    accounts: int = 731
    journal: int = RECORDS_KEPT_DAYS


def forget_links(session: Session, clock: Clock) -> int:
    """Delete links older than twelve months; returns how many. Their keys go in the same run.

    Not those of signals that still live, as one under restriction does (art. 18 AVG): see `renew_links`.
    """
    on = today(clock)
    too_old = AddressLink.received_on < _year_ago(on)
    over = or_(AddressLink.quarter < oldest_kept(on), too_old)
    lives = AddressLink.signal_id.in_(select(Signal.id))
    return _count(session, delete(AddressLink).where(over, or_(AddressLink.signal_id.is_(None), ~lives)))


def renew_links(session: Session, clock: Clock, *, keystore: Keystore) -> int:
    """Put links of signals that outlive their quarter's key under this quarter's; returns how many.

    As long as a signal is kept its resident must be able to have it found by address, and lifted or erased.
    """
    on = today(clock)
    outlived = select(AddressLink, Signal).join(Signal, Signal.id == AddressLink.signal_id)
    rows = session.execute(outlived.where(AddressLink.quarter < oldest_kept(on))).all()
    reports = open_reports(keystore, {signal.id: signal for _link, signal in rows}.values())
    readable = [(link, reports[signal.id].address) for link, signal in rows if signal.id in reports]
    probes = probes_for(keystore, [(link.organisation_id, address) for link, address in readable], on)
    for (link, _address), probe in zip(readable, probes, strict=True):
        link.quarter = probe.quarter
        link.pseudonym, link.house_pseudonym = probe.exact[0], probe.house[0]
    session.flush()
    return len(readable)


def _year_ago(on: date) -> date:
    return on - timedelta(days=LINKS_KEPT_DAYS)


def forget_remains(session: Session, clock: Clock, ends: Ends) -> int:
    """Delete what is past its own end besides the links, and empty old accounts; returns how many rows."""
    return sum(_count(session, statement) for statement in _over(clock, ends)) + _empty_accounts(
        session, clock.now() - timedelta(days=ends.accounts)
    )


def _over(clock: Clock, ends: Ends) -> Iterator[Delete]:
    on, now = today(clock), clock.now()
    yield delete(Receipt).where(Receipt.changed_on < on - timedelta(days=RECEIPTS_KEPT_DAYS))
    yield delete(DeletionRecord).where(
        DeletionRecord.deleted_on < on - timedelta(days=RECORDS_KEPT_DAYS),
        DeletionRecord.key_destroyed_on.is_not(None),
    )
    # As long as the signal lives an erasure has to find where it went (art. 19 AVG).
    yield delete(Referral).where(
        Referral.referred_on < on - timedelta(days=ends.referrals),
        Referral.key_destroyed_on.is_not(None),
        Referral.signal_id.not_in(select(Signal.id)),
    )
    yield delete(RegisterEntry).where(RegisterEntry.recorded_on < on - timedelta(days=ends.register))
    ended = now - timedelta(days=ends.sessions)
    yield delete(StaffSession).where(or_(StaffSession.expires_at < ended, StaffSession.revoked_at < ended))
    decided = func.coalesce(Approval.decided_at, Approval.asked_at)
    yield delete(Approval).where(decided < now - timedelta(days=ends.approvals))


def _empty_accounts(session: Session, before: datetime) -> int:
    """Take name, address and credentials from accounts that were disabled before a moment.

    The row stays, with its id and role: history, register and audit trail name it, and an id that leads to
    nobody is all that is left of them.
    """
    over = select(StaffMember.id).where(
        StaffMember.disabled_at < before, StaffMember.email.not_like(f"%@{NOBODY}")
    )
    ids = session.scalars(over).all()
    for owned in (StaffSession, Passkey, AccountLink):
        session.execute(delete(owned).where(owned.staff_member_id.in_(ids)))
    for staff_id in ids:
        session.execute(
            update(StaffMember)
            .where(StaffMember.id == staff_id)
            .values(
                name="-",
                email=f"{staff_id}@{NOBODY}",
                password_hash="",
                totp_sealed=b"",
                totp_last_step=None,
            )
        )
    return len(ids)


def _count(session: Session, statement: Delete) -> int:
    return cast("CursorResult[Any]", session.execute(statement)).rowcount
