"""Find for `signals doctor` what is wrong in the database: routing, keys, waiting and failed work."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, selectinload

from notifications.figures import waiting_since
from notifications.models import MessageState, OutboxMessage
from privacy.sealing import week_start
from signals.clock import Clock, FixedClock, today
from signals.db import reading, session_factory
from signals.errors import NoMailboxKey
from signals.intake.shares import sealed_percent
from signals.models import DeletionRecord, JobRun, MailboxPublicKey, Organisation, SealedReport
from signals.operations.job_runs import LATE, MOST_COUNTED, is_late, job_runs, waiting_reports
from signals.retention.nightly import needs_a_person
from signals.retention.periods import count_due
from signals.retention.unreadable import unreadable_signals
from signals.routing.coverage import routed_elsewhere_on
from signals.routing.receivers import onboarded_on
from signals.routing.snapshot import Router, is_signed_by
from signals.settings import Settings
from signals.statistics.publications import forged_tables, publications
from signals.statistics.releasing import due

WEEKS_AHEAD: Final = 2
"""The least weeks of mailbox keys ahead: phones keep reports while they are offline."""

OVERDUE_DAYS: Final = 2
"""A signal is overdue this many days after its period: one missed night is no problem."""

RELEASE_DAYS: Final = 2
"""A quarter is late this many days after the days of grace: one missed night is no problem."""

_NAMED: Final = 5
"""How many of the things with one problem a finding names."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line: the check, its result, and how to fix a problem."""

    check: str
    ok: bool
    says: str
    fix: str = ""

    def as_json(self) -> dict[str, str | bool]:
        """Return the line for programs, which read the key `mend`."""
        return {"check": self.check, "ok": self.ok, "says": self.says, "mend": self.fix}


Check = tuple[str, Callable[[], Finding], str]
"""A check by name, and how to fix it when it fails itself."""


def find_in_database(engine: Engine, settings: Settings, clock: Clock, root: bytes | None) -> Iterator[Check]:
    """Yield each check, to call before the next. `root` signed the public keys."""
    on = today(clock)
    yield "routing", partial(_routing, engine, root, on), "signals organisations import"
    with session_factory(reading(engine))() as session:
        for check, find in (
            ("mailbox keys", partial(_keys_ahead, session, on)),
            ("public keys", partial(_public_keys, session, root)),
            ("jobs", partial(_jobs, session, clock)),
            ("waiting reports", partial(_waiting, session, clock)),
            ("refused reports", partial(_refused, session)),
            ("unreadable signals", partial(_unreadable, session)),
            ("sealed reports", partial(_sealed, session, on)),
            ("outbox", partial(_outbox, session, clock)),
            ("retention", partial(_retention, session, clock)),
            ("organisations", partial(_onboarding, session)),
            ("address file", partial(_address_file, session, on)),
            ("figures", partial(_figures, session, settings, on, root)),
        ):
            yield check, find, "signals db check"


def _figures(session: Session, settings: Settings, on: date, root: bytes | None) -> Finding:
    forged = forged_tables(session, root) if root else ()
    if forged:
        says = f"{', '.join(forged)} not signed by this service"
        return Finding(
            check="figures", ok=False, says=says, fix="docs/operations.md, 'Releases of the figures'"
        )
    late = due(session, on - timedelta(days=RELEASE_DAYS), grace_days=settings.figures.grace_days)
    periods = [row.period for row in publications(session)]
    says = f"{max(periods)} released last" if periods else "nothing released yet"
    return Finding(
        check="figures",
        ok=not late,
        says=f"{says}; {late[0]} is late" if late else says,
        fix=f"run a worker, or 'signals statistics release {late[0]}', which says why it cannot"
        if late
        else "",
    )


_TO_RECEIVE = "both press the link that they got, a lead has an account, the team answers a test message"


def _routing(engine: Engine, root: bytes | None, on: date) -> Finding:
    missing = Finding(
        check="routing",
        ok=False,
        says="no national desk receives",
        fix=f"signals organisations import, with a line of level national; then {_TO_RECEIVE}",
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


def _keys_ahead(session: Session, on: date) -> Finding:
    wanted = week_start(on) + timedelta(weeks=WEEKS_AHEAD)
    with_key = select(MailboxPublicKey.organisation_id).where(MailboxPublicKey.week == wanted)
    lacking = session.scalar(
        select(func.count()).select_from(Organisation).where(Organisation.id.not_in(with_key))
    )
    return Finding(
        check="mailbox keys",
        ok=not lacking,
        says=f"{lacking} organisations lack a key for the week of {wanted}",
        fix="run a worker: it makes keys every minute",
    )


def _public_keys(session: Session, root: bytes | None) -> Finding:
    rows = session.scalars(select(MailboxPublicKey)).all() if root else []
    strange = [str(row.key_id) for row in rows if root and not is_signed_by(root, row)]
    return Finding(
        check="public keys",
        ok=not strange,
        says=f"{len(strange)} are not as the keystore's root signed them{_named(': ', strange)}",
        fix="somebody wrote to the database: docs/somebody-attacks.md, 'A public key that was exchanged'",
    )


def _named(before: str, names: Sequence[str]) -> str:
    """Return the first names with a text before them; nothing without a name."""
    shown = ", ".join(names[:_NAMED])
    return f"{before}{shown}{'...' if len(names) > _NAMED else ''}" if names else ""


def _jobs(session: Session, clock: Clock) -> Finding:
    """Show the last run and result of each job, the late ones first."""
    now = clock.now()
    runs = sorted(job_runs(session), key=lambda run: (not is_late(run, now), run.job))
    late = [run for run in runs if is_late(run, now)]
    each = ", ".join(_run(run, now) for run in runs)
    return Finding(
        check="jobs",
        ok=bool(runs) and not late,
        says=f"{len(late)} of {len(runs)} are late: {each}" if runs else "no worker ran yet",
        fix="run a worker ('signals work'): docs/operations.md, 'Worker down'",
    )


def _run(run: JobRun, now: datetime) -> str:
    done = f"{run.job} {_ago(now - run.succeeded_at)}" if run.succeeded_at else f"{run.job} never"
    return done if run.problem is None else f"{done} (failed {_ago(now - run.ran_at)}: {run.problem})"


def _ago(age: timedelta) -> str:
    """Return an age in its largest unit."""
    seconds = max(0, round(age.total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def _waiting(session: Session, clock: Clock) -> Finding:
    waiting = waiting_reports(session, clock.now())
    number = f"{MOST_COUNTED} or more" if waiting.number == MOST_COUNTED else waiting.number
    oldest = f", the oldest came {_ago(waiting.at_most)} at the earliest" if waiting.number else ""
    return Finding(
        check="waiting reports",
        ok=not waiting.is_late,
        says=f"{number} wait to arrive{oldest}",
        fix="run a worker ('signals work'); its log says why nothing arrives",
    )


def _refused(session: Session) -> Finding:
    query = select(func.count()).select_from(SealedReport).where(SealedReport.refused_on.is_not(None))
    count = session.scalar(query)
    return Finding(
        check="refused reports",
        ok=not count,
        says=f"{count} did not open",
        fix="find the reason of each in the worker's log: docs, 'A refused report'",
    )


def _unreadable(session: Session) -> Finding:
    ids = [str(signal.id) for signal in unreadable_signals(session)]
    return Finding(
        check="unreadable signals",
        ok=not ids,
        says=f"{len(ids)} cannot be opened{_named(': ', ids)}",
        fix="restore a copy of the keystore from before: docs/operations.md, 'An unreadable signal'",
    )


def _sealed(session: Session, on: date) -> Finding:
    """Say which share of the reports came sealed: `intake.clear_reports` may follow it."""
    share = sealed_percent(session, on)
    says = "too few reports for a share" if share is None else f"{share}% of the last 7 days came sealed"
    return Finding(check="sealed reports", ok=True, says=says)


def _outbox(session: Session, clock: Clock) -> Finding:
    waiting = waiting_since(session, clock.now() - LATE)
    dead = select(func.count()).select_from(OutboxMessage).where(OutboxMessage.state == MessageState.FAILED)
    failed = session.scalar(dead) or 0
    late = f", {waiting.late} for over ten minutes" if waiting.late else ""
    oldest = f", the oldest since {_ago(clock.now() - waiting.since)}" if late and waiting.since else ""
    fixes = []
    if late:
        fixes.append("run a worker, and look at the channels below; what waits is tried again by itself")
    if failed:
        fixes.append("'signals outbox list' says why messages failed; then 'signals outbox retry' or 'drop'")
    return Finding(
        check="outbox",
        ok=not late and not failed,
        says=f"{waiting.number} queued{late}{oldest}; {failed} failed",
        fix="; ".join(fixes),
    )


def _retention(session: Session, clock: Clock) -> Finding:
    """Find what should be gone: signals past their period, and keys of deleted signals."""
    due = count_due(session, clock)
    if needs_a_person(session, due):
        return Finding(
            check="retention",
            ok=False,
            says=f"a purge of {due} signals waits for a person: it is over a fifth of all",
            fix="look at the clock and at the periods; if this is right, signals retention run --confirm",
        )
    two_days_ago = FixedClock(clock.now() - timedelta(days=OVERDUE_DAYS))
    overdue = count_due(session, two_days_ago)
    unconfirmed = DeletionRecord.key_destroyed_on.is_(None) & (DeletionRecord.deleted_on < today(clock))
    keys = session.scalar(select(func.count()).select_from(DeletionRecord).where(unconfirmed))
    return Finding(
        check="retention",
        ok=not overdue and not keys,
        says=f"{overdue} signals are past their period, {keys} were deleted whose key is still there",
        fix="run a worker; its log says why a purge failed. It must be able to write the deletion journal",
    )


def _address_file(session: Session, on: date) -> Finding:
    found = [problem.name or problem.area for problem in routed_elsewhere_on(session, on)]
    return Finding(
        check="address file",
        ok=not found,
        says=f"{len(found)} municipalities are routed elsewhere than is known{_named(': ', found)}",
        fix="'signals coverage import' with the whole official file",
    )


def _onboarding(session: Session) -> Finding:
    everyone = session.scalars(select(Organisation).options(selectinload(Organisation.recipients))).all()
    lacking = sorted(one.name for one in everyone if onboarded_on(one) is None)
    return Finding(
        check="organisations",
        ok=not lacking,
        says=f"{len(everyone) - len(lacking)} onboarded{_named('; not yet: ', lacking)}",
        fix=f"fill in the agreement, both bases and two recipients; then {_TO_RECEIVE}",
    )
