"""Find for `signals doctor` what is wrong in the database: routing, keys, waiting and failed work."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from signals.cli.findings import Finding, guarded
from signals.settings import Settings

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from signals.clock import Clock

WEEKS_AHEAD = 2
"""The least weeks of mailbox keys ahead: phones keep reports while they are offline."""

OVERDUE_DAYS = 2
"""A signal is overdue this many days after its period: one missed night is no problem."""

RELEASE_DAYS = 2
"""A quarter is late this many days after the days of grace: one missed night is no problem."""


def look_at_database(
    engine: "Engine", settings: Settings, clock: "Clock", root: bytes | None
) -> Iterator[Finding]:
    """Yield each finding; a failed check is a finding too. `root` signed the public keys."""
    from signals.clock import today
    from signals.db import reading, session_factory

    on = today(clock)
    yield guarded("routing", lambda: _routing(engine, root, on), "signals organisations import")
    with session_factory(reading(engine))() as session:
        looks: tuple[tuple[str, Callable[[], Finding]], ...] = (
            ("mailbox keys", lambda: _keys_ahead(session, on)),
            ("public keys", lambda: _public_keys(session, root)),
            ("waiting reports", lambda: _waiting(session, on)),
            ("refused reports", lambda: _refused(session)),
            ("outbox", lambda: _outbox(session, clock)),
            ("retention", lambda: _retention(session, clock)),
            ("organisations", lambda: _onboarding(session)),
            ("address file", lambda: _address_file(session, on)),
            ("figures", lambda: _figures(session, settings, on)),
        )
        for check, look in looks:
            yield guarded(check, look, "signals db check")


def _figures(session: "Session", settings: Settings, on: "date") -> Finding:
    from signals.statistics import released, withheld_tables
    from signals.statistics.due_periods import next_due

    late = next_due(session, on - timedelta(days=settings.figures.grace_days + RELEASE_DAYS))
    periods = [release.period for release in released(session)]
    latest = f"{periods[0]} released last" if periods else "nothing released yet"
    says = f"{latest}, {len(withheld_tables(session))} tables withheld"
    return Finding(
        check="figures",
        ok=late is None,
        says=f"{says}; {late} is late" if late else says,
        fix=f"run a worker, or 'signals statistics release {late}', which says why it cannot",
    )


def _routing(engine: "Engine", root: bytes | None, on: "date") -> Finding:
    from signals.errors import NoMailboxKey
    from signals.routing.snapshot import Router

    missing = Finding(
        check="routing",
        ok=False,
        says="no national desk receives",
        fix="signals organisations import, with a line of level national",
    )
    try:
        snapshot = Router(engine, root_public_key=root).snapshot()
    except NoMailboxKey:  # what the router makes of an installation without a national desk
        return missing
    desk = snapshot.national_desk(on)
    if desk is None:
        return missing
    if root is not None and snapshot.sealing_key(desk.id, on) is None:
        return Finding(
            check="routing",
            ok=False,
            says="the national desk has no key of this week that the root signed",
            fix="run a worker: it makes keys every minute",
        )
    return Finding(check="routing", ok=True, says=f"{len(snapshot.organisations)} organisations, one desk")


def _keys_ahead(session: "Session", on: "date") -> Finding:
    from sqlalchemy import select

    from privacy.sealing import week_start
    from signals.models import MailboxPublicKey, Organisation

    wanted = week_start(on) + timedelta(weeks=WEEKS_AHEAD)
    held = set(
        session.scalars(select(MailboxPublicKey.organisation_id).where(MailboxPublicKey.week == wanted))
    )
    lacking = sum(1 for known in session.scalars(select(Organisation.id)) if known not in held)
    return Finding(
        check="mailbox keys",
        ok=not lacking,
        says=f"{lacking} organisations lack a key for the week of {wanted}",
        fix="run a worker: it makes keys every minute",
    )


def _public_keys(session: "Session", root: bytes | None) -> Finding:
    from sqlalchemy import select

    from signals.models import MailboxPublicKey
    from signals.routing.snapshot import is_signed_by

    rows = session.scalars(select(MailboxPublicKey)).all() if root else []
    strange = [str(row.key_id) for row in rows if root and not is_signed_by(root, row)]
    named = ", ".join(strange[:5]) + ("..." if len(strange) > 5 else "")
    return Finding(
        check="public keys",
        ok=not strange,
        says=f"{len(strange)} are not as the keystore's root signed them" + (f": {named}" if strange else ""),
        fix="somebody wrote to the database: docs/operations.md, 'A public key that was exchanged'",
    )


def _waiting(session: "Session", on: "date") -> Finding:
    from sqlalchemy import func, select

    from signals.models import SealedReport

    waiting = SealedReport.refused_on.is_(None)
    query = select(func.count(), func.min(SealedReport.received_on)).where(waiting)
    row = session.execute(query).one()
    count: int = row[0]
    oldest: date | None = row[1]
    return Finding(
        check="waiting reports",
        ok=oldest is None or oldest >= on - timedelta(days=1),
        says=f"{count} wait to arrive" + (f", the oldest since {oldest}" if oldest else ""),
        fix="run a worker ('signals work'); its log says why nothing arrives",
    )


def _refused(session: "Session") -> Finding:
    from sqlalchemy import func, select

    from signals.models import SealedReport

    query = select(func.count()).select_from(SealedReport).where(SealedReport.refused_on.is_not(None))
    count = session.scalar(query) or 0
    return Finding(
        check="refused reports",
        ok=not count,
        says=f"{count} did not open",
        fix="the worker's log names each and why; a key restored from a copy lets them in",
    )


def _outbox(session: "Session", clock: "Clock") -> Finding:
    from sqlalchemy import func, select

    from notifications.figures import waiting_since
    from notifications.models import MessageState, OutboxMessage

    by_state = select(OutboxMessage.state, func.count().label("number")).group_by(OutboxMessage.state)
    counts: dict[MessageState, int] = {row.state: row.number for row in session.execute(by_state)}
    late = waiting_since(session, clock.now() - timedelta(hours=1))
    queued, failed = counts.get(MessageState.QUEUED, 0), counts.get(MessageState.FAILED, 0)
    fixes = [
        "run a worker, and look at the channels below; what waits is tried again by itself" if late else "",
        "'signals outbox list' says why messages failed; then 'signals outbox retry' or 'drop'"
        if failed
        else "",
    ]
    return Finding(
        check="outbox",
        ok=not late and not failed,
        says=f"{queued} queued, {late} of them waiting for over an hour; {failed} failed",
        fix="; ".join(filter(None, fixes)),
    )


def _retention(session: "Session", clock: "Clock") -> Finding:
    """Find what should be gone: signals past their period, and keys of deleted signals."""
    from sqlalchemy import func, select

    from signals.clock import FixedClock, today
    from signals.models import DeletionRecord
    from signals.retention.periods import due_signals

    two_days_ago = FixedClock(clock.now() - timedelta(days=OVERDUE_DAYS))
    overdue = sum(1 for _ in due_signals(session, two_days_ago))
    unconfirmed = DeletionRecord.key_destroyed_on.is_(None) & (DeletionRecord.deleted_on < today(clock))
    keys = session.scalar(select(func.count()).select_from(DeletionRecord).where(unconfirmed)) or 0
    return Finding(
        check="retention",
        ok=not overdue and not keys,
        says=f"{overdue} signals are past their period, {keys} were deleted whose key is still there",
        fix="run a worker; its log says why a purge failed. It must be able to write the deletion journal",
    )


def _address_file(session: "Session", on: "date") -> Finding:
    from signals.routing.coverage import routed_elsewhere_on

    found = [problem.name or problem.area for problem in routed_elsewhere_on(session, on)]
    named = ", ".join(found[:5]) + ("..." if len(found) > 5 else "")
    return Finding(
        check="address file",
        ok=not found,
        says=f"{len(found)} municipalities are routed elsewhere than is known" + (f": {named}" * bool(found)),
        fix="'signals coverage import' with the whole official file",
    )


def _onboarding(session: "Session") -> Finding:
    from sqlalchemy import select
    from sqlalchemy.orm import selectinload

    from signals.models import Organisation
    from signals.routing.receivers import onboarded_on

    everyone = session.scalars(select(Organisation).options(selectinload(Organisation.recipients))).all()
    lacking = sorted(one.name for one in everyone if onboarded_on(one) is None)
    return Finding(
        check="organisations",
        ok=not lacking,
        says=f"{len(everyone) - len(lacking)} onboarded"
        + (f"; not yet: {', '.join(lacking[:10])}" + ("..." if len(lacking) > 10 else "") if lacking else ""),
        fix="fill in agreement, legal and retention basis and two verified recipients",
    )
