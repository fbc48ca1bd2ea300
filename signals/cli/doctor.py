"""`signals doctor`: is everything in order, and if not, what mends it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from signals.cli import answer, json_option, settings_of
from signals.cli.opening import log_warnings_only
from signals.settings import Settings

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from privacy.keystore import Keystore
    from signals.clock import Clock

WEEKS_AHEAD = 2
"""Fewer weeks of mailbox keys than this ahead are a problem: phones keep reports while they are offline."""

LEAST_FREE_MIB = 200
"""Less room than this is a problem: a full disk refuses every report, and looks well until then."""

RELEASE_DAYS = 2
"""So many days after the days of grace a quarter is late: a night that was missed is no problem."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line: what was looked at, how it is, and what to do when it is not right."""

    check: str
    ok: bool
    says: str
    mend: str = ""


@click.command()
@click.option("--send-test", "address", default="", help="Send a test message to this address or phone too.")
@json_option
@click.pass_context
def doctor(context: click.Context, *, address: str, as_json: bool) -> None:
    """Look at settings, database, keys, routing, channels, what waits and failed; exit code 1 for a problem.

    Example: signals doctor --send-test beheer@example.org
    """
    settings = settings_of(context)
    log_warnings_only()
    findings = list(examine(settings))
    if address:
        findings.append(_test_message(settings, address))
    data = {
        "ok": all(finding.ok for finding in findings),
        "checks": [vars(finding) for finding in findings],
    }
    answer(data, as_json=as_json, text=_told)
    if not data["ok"]:
        context.exit(1)


def examine(settings: Settings, clock: "Clock | None" = None) -> Iterator[Finding]:
    """All findings; what cannot be looked at because something before it failed is left out."""
    from signals.clock import SystemClock
    from signals.db import make_engine

    yield Finding(check="settings", ok=True, says=f"role {settings.role}, environment {settings.environment}")
    yield from _disks(settings)
    engine = make_engine(settings.database.url)
    try:
        schema = _guarded("database", lambda: _schema(engine), "start the database, or mend database.url")
        yield schema
        root = _pinned_root(settings)
        if settings.holds_keys:
            keystore, root = _keystore_finding(settings)
            yield keystore
        if schema.ok:
            yield from _contents(engine, settings, clock or SystemClock(), root)
        if settings.holds_keys:
            yield from _channels(settings)
    finally:
        engine.dispose()


def _disks(settings: Settings) -> Iterator[Finding]:
    """Where this machine writes and has the least room; nothing where it writes nothing."""
    import shutil

    rooms = {name: shutil.disk_usage(_there(path)).free // 2**20 for name, path in _written(settings)}
    if rooms:
        name = min(rooms, key=lambda one: rooms[one])
        yield Finding(
            check="disk",
            ok=rooms[name] >= LEAST_FREE_MIB,
            says=f"{rooms[name]} MB free where {name} lies",
            mend="make room outside the data folder (docs/operations.md, 'Disk full')",
        )


def _written(settings: Settings) -> Iterator[tuple[str, Path]]:
    from sqlalchemy import make_url

    urls = {"database.url": settings.database.url}
    if settings.holds_keys:
        urls["keystore.url"] = settings.keystore.url
        yield "retention.journal_file", settings.retention.journal_file
    for name, url in urls.items():
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            yield name, Path(parsed.database)


def _there(path: Path) -> Path:
    """The nearest folder that exists."""
    return next(folder for folder in path.absolute().parents if folder.is_dir())


def _channels(settings: Settings) -> Iterator[Finding]:
    """Whether each provider lets us in. Text messages may be off; without e-mail nobody hears anything."""
    from notifications.words import explain
    from signals.sending import check_channels

    off = "set notifications.smtp_host, and what stands by it in config.example.toml"
    for found in check_channels(settings):
        problem = explain(found.problem, "en") if found.problem else None
        if not found.on:
            says, ok = "off", found.channel == "sms" or not settings.runs_jobs
        else:
            says, ok = problem.says if problem else "signed in", problem is None
        mend = problem.mend if problem else off
        yield Finding(check=f"channel {found.channel}", ok=ok, says=says, mend=mend)


def _test_message(settings: Settings, address: str) -> Finding:
    from notifications.retry import DeliveryFailure
    from notifications.words import explain
    from signals.clock import SystemClock
    from signals.errors import Invalid
    from signals.sending import send_test

    check, mend = "test message", "give an e-mail address or a mobile number, of a channel that is on"
    try:
        send_test(settings, SystemClock(), to=address)
    except DeliveryFailure as failure:
        problem = explain(failure.problem, "en")
        return Finding(check=check, ok=False, says=problem.says, mend=problem.mend)
    except Invalid as refusal:
        codes = ", ".join(problem.code for problem in refusal.problems)
        return Finding(check=check, ok=False, says=codes, mend=mend)
    return Finding(check=check, ok=True, says="the provider took it; look whether it arrived")


def _guarded(check: str, look: Callable[[], Finding], mend: str) -> Finding:
    """The finding; a failure of the look itself becomes one, by its class only."""
    from sqlalchemy.exc import SQLAlchemyError

    from privacy.keystore import KeystoreError
    from privacy.secret_files import SecretFileRefused

    try:
        return look()
    except (KeystoreError, SecretFileRefused) as problem:
        return Finding(check=check, ok=False, says=str(problem), mend=mend)
    except (SQLAlchemyError, OSError) as problem:
        return Finding(check=check, ok=False, says=type(problem).__name__, mend=mend)


def _schema(engine: "Engine") -> Finding:
    import migrations

    with engine.connect() as connection:
        have, wanted = migrations.current(connection), migrations.head()
    says = f"at revision {have or 'empty'}, wanted is {wanted}"
    return Finding(check="database", ok=have == wanted, says=says, mend="signals db upgrade")


def _keystore_finding(settings: Settings) -> "tuple[Finding, bytes | None]":
    """With the root that signed the public keys, by which they are looked at; the pinned one without it."""
    from signals.key_custody import KeysUnusable, open_keys

    pinned = _pinned_root(settings)
    try:
        keystore = open_keys(settings)
    except KeysUnusable as problem:
        return Finding(check="keystore", ok=False, says=problem.says, mend=problem.mend), pinned
    try:
        found = _guarded("keystore", lambda: _pinned(settings, keystore), "signals init makes its root")
        return found, pinned or (keystore.root_public_key() if found.ok else None)
    finally:
        keystore.dispose()


def _pinned_root(settings: Settings) -> bytes | None:
    import base64

    return base64.b64decode(settings.front.root_public_key) if settings.front.root_public_key else None


def _pinned(settings: Settings, keystore: "Keystore") -> Finding:
    """The master key fits; the root must be the one that the front trusts, where this process knows it."""
    import base64

    root = base64.b64encode(keystore.root_public_key()).decode()
    pinned = settings.front.root_public_key
    if pinned and pinned != root:
        mend = (
            "put the keystore back that was there before; only if this is the right one, copy the key of"
            " 'signals keys list' to front.root_public_key"
        )
        return Finding(check="keystore", ok=False, says="front.root_public_key is another root", mend=mend)
    return Finding(check="keystore", ok=True, says="the master key fits")


def _contents(engine: "Engine", settings: Settings, clock: "Clock", root: bytes | None) -> Iterator[Finding]:
    from signals.clock import today
    from signals.db import reading, session_factory

    on = today(clock)
    yield _guarded("routing", lambda: _routing(engine, root, on), "signals organisations import")
    with session_factory(reading(engine))() as session:
        looks: tuple[tuple[str, Callable[[], Finding]], ...] = (
            ("mailbox keys", lambda: _keys_ahead(session, on)),
            ("public keys", lambda: _public_keys(session, root)),
            ("waiting reports", lambda: _waiting(session, on)),
            ("refused reports", lambda: _refused(session)),
            ("outbox", lambda: _outbox(session, clock)),
            ("organisations", lambda: _onboarding(session)),
            ("figures", lambda: _figures(session, settings, on)),
        )
        for check, look in looks:
            yield _guarded(check, look, "signals db check")


def _figures(session: "Session", settings: Settings, on: "date") -> Finding:
    from signals.statistics import released, withheld_tables
    from signals.statistics.releasing import next_due

    late = next_due(session, on - timedelta(days=settings.figures.grace_days + RELEASE_DAYS))
    periods = [release.period for release in released(session)]
    latest = f"{periods[0]} released last" if periods else "nothing released yet"
    says = f"{latest}, {len(withheld_tables(session))} tables withheld"
    return Finding(
        check="figures",
        ok=late is None,
        says=f"{says}; {late} is late" if late else says,
        mend=f"run a worker, or 'signals statistics release {late}', which says why it cannot",
    )


def _routing(engine: "Engine", root: bytes | None, on: "date") -> Finding:
    from signals.errors import NoMailboxKey
    from signals.routing import Router

    missing = Finding(
        check="routing",
        ok=False,
        says="no national desk receives",
        mend="signals organisations import, with a line of level national",
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
            mend="run a worker: it makes keys every hour",
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
        mend="run a worker: it makes keys every hour",
    )


def _public_keys(session: "Session", root: bytes | None) -> Finding:
    from sqlalchemy import select

    from signals.models import MailboxPublicKey
    from signals.routing import is_signed_by

    rows = session.scalars(select(MailboxPublicKey)).all() if root else []
    strange = [str(row.key_id) for row in rows if root and not is_signed_by(root, row)]
    named = ", ".join(strange[:5]) + ("..." if len(strange) > 5 else "")
    return Finding(
        check="public keys",
        ok=not strange,
        says=f"{len(strange)} are not as the keystore's root signed them" + (f": {named}" if strange else ""),
        mend="somebody wrote to the database: docs/operations.md, 'A public key that was exchanged'",
    )


def _waiting(session: "Session", on: "date") -> Finding:
    from sqlalchemy import func, select, text

    from signals.models import SealedReport
    from signals.models.signal import WAITING

    query = select(func.count(), func.min(SealedReport.received_on)).where(text(WAITING))
    row = session.execute(query).one()
    count: int = row[0]
    oldest: date | None = row[1]
    return Finding(
        check="waiting reports",
        ok=oldest is None or oldest >= on - timedelta(days=1),
        says=f"{count} wait to arrive" + (f", the oldest since {oldest}" if oldest else ""),
        mend="run a worker ('signals work'); its log says why nothing arrives",
    )


def _refused(session: "Session") -> Finding:
    from sqlalchemy import func, select

    from signals.models import SealedReport

    query = (
        select(func.count())
        .select_from(SealedReport)
        .where(SealedReport.refused_on.is_not(None), SealedReport.envelope.is_not(None))
    )
    count = session.scalar(query) or 0
    return Finding(
        check="refused reports",
        ok=not count,
        says=f"{count} did not open",
        mend="the worker's log names each and why; a key restored from a copy lets them in",
    )


def _outbox(session: "Session", clock: "Clock") -> Finding:
    from sqlalchemy import func, select

    from notifications.figures import waiting_since
    from notifications.models import MessageState, OutboxMessage

    by_state = select(OutboxMessage.state, func.count().label("number")).group_by(OutboxMessage.state)
    counts: dict[MessageState, int] = {row.state: row.number for row in session.execute(by_state)}
    late = waiting_since(session, clock.now() - timedelta(hours=1))
    queued, failed = counts.get(MessageState.QUEUED, 0), counts.get(MessageState.FAILED, 0)
    mends = [
        "run a worker, and look at the channels below; what waits is tried again by itself" if late else "",
        "'signals outbox list' says why messages failed; then 'signals outbox retry' or 'drop'"
        if failed
        else "",
    ]
    return Finding(
        check="outbox",
        ok=not late and not failed,
        says=f"{queued} queued, {late} of them waiting for over an hour; {failed} failed",
        mend="; ".join(filter(None, mends)),
    )


def _onboarding(session: "Session") -> Finding:
    from sqlalchemy import select
    from sqlalchemy.orm import selectinload

    from signals.models import Organisation
    from signals.organisations import onboarded_on

    everyone = session.scalars(select(Organisation).options(selectinload(Organisation.recipients))).all()
    lacking = sorted(one.name for one in everyone if onboarded_on(one) is None)
    return Finding(
        check="organisations",
        ok=not lacking,
        says=f"{len(everyone) - len(lacking)} onboarded"
        + (f"; not yet: {', '.join(lacking[:10])}" + ("..." if len(lacking) > 10 else "") if lacking else ""),
        mend="fill in agreement, legal and retention basis and two verified recipients",
    )


def _told(data: dict[str, Any]) -> str:
    lines = []
    for finding in data["checks"]:
        lines.append(f"{'ok     ' if finding['ok'] else 'PROBLEM'} {finding['check']}: {finding['says']}")
        if not finding["ok"]:
            lines.append(f"        mend: {finding['mend']}")
    return "\n".join(lines)
