"""`signals doctor`: check that everything is in order, and say how to fix what is not."""

import base64
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

import migrations
from notifications.retry import DeliveryFailure
from notifications.words import explain
from privacy.keystore import Keystore, KeystoreError
from privacy.patience import DESK
from privacy.secret_files import SecretFileRefused
from signals.cli import answers, settings_of_call
from signals.cli.database_findings import Finding, find_in_database
from signals.cli.opening import log_warnings_only
from signals.cli.site import examine_site
from signals.clock import Clock, SystemClock
from signals.clock_guard import MOST_APART, time_apart
from signals.db import make_engine, reading, session_factory
from signals.errors import Invalid
from signals.keys.opening import KeysUnusable, open_keys
from signals.keys.sweeping import most_are_orphans
from signals.models.sealed import refused_rows, seal_rows
from signals.notices.channels import check_channels, send_test
from signals.settings import Settings
from signals.web.assets import how_to_complete, missing_files

LEAST_FREE_MIB = 200
"""The least room: a full disk refuses every report, without a sign before that."""


def in_words(data: dict[str, Any]) -> str:
    """Return the findings as lines for a person."""
    lines = []
    for finding in data["checks"]:
        lines.append(f"{'ok     ' if finding['ok'] else 'PROBLEM'} {finding['check']}: {finding['says']}")
        if not finding["ok"]:
            lines.append(f"        fix: {finding['mend']}")
    return "\n".join(lines)


@click.command()
@click.option("--send-test", "address", default="", help="Send a test message to this address or phone too.")
@click.option("--site", default="", help="Compare the files of the site at this address with this release.")
@answers(in_words)
def doctor(*, address: str, site: str) -> dict[str, Any]:
    """Check settings, database, keys, routing, channels and waiting work; exit code 1 for a problem.

    With --site it checks nothing else, and needs no settings: anybody can run it.

    Example: signals doctor --send-test beheer@example.org
    """
    findings = list(examine_site(site)) if site else _of_installation(address)
    return {
        "ok": all(finding.ok for finding in findings),
        "checks": [finding.as_json() for finding in findings],
    }


def _of_installation(address: str) -> list[Finding]:
    settings = settings_of_call()
    log_warnings_only()
    tests = [_test_message(settings, address)] if address else []
    return [*examine(settings), *tests]


def examine(settings: Settings, clock: Clock | None = None) -> Iterator[Finding]:
    """Yield all findings; leave out a check that needs something that failed."""
    clock = clock or SystemClock()
    yield Finding(check="settings", ok=True, says=f"role {settings.role}, environment {settings.environment}")
    yield from _disks(settings)
    yield _built_files()
    engine = make_engine(settings.database.url, patience=DESK)
    try:
        schema = _guarded("database", partial(_schema, engine), "start the database, or fix database.url")
        yield schema
        if schema.ok:
            yield _guarded("clock", partial(_clock, engine, clock), "start the database")
        root, can_open = settings.front.root_key, False
        if settings.holds_keys:
            keystore, root = _keystore_finding(settings)
            can_open = keystore.ok
            yield keystore
        if schema.ok:
            for check, find, fix in find_in_database(engine, settings, clock, root):
                yield _guarded(check, find, fix)
        if schema.ok and can_open:
            yield _guarded("accounts", partial(_accounts, engine, settings), "signals db check")
        if can_open and settings.serves_staff and not settings.runs_jobs:
            yield _guarded("receipts", partial(_receipts, settings), "signals keys grants")
        if schema.ok and can_open and settings.runs_jobs:  # a desk's role sees no signals
            yield _guarded("case keys", partial(_case_keys, engine, settings, clock), "signals db check")
        if settings.holds_keys:
            yield from _channels(settings)
    finally:
        engine.dispose()


def _guarded(check: str, find: Callable[[], Finding], fix: str) -> Finding:
    """Return the finding of a check; a failed check becomes a finding that names only its class."""
    try:
        return find()
    except (KeystoreError, SecretFileRefused) as problem:
        return Finding(check=check, ok=False, says=str(problem), fix=fix)
    except (SQLAlchemyError, OSError) as problem:
        return Finding(check=check, ok=False, says=type(problem).__name__, fix=fix)


def _built_files() -> Finding:
    missing = missing_files()
    says = f"{len(missing)} are missing, such as {missing[0]}" if missing else "all are here"
    return Finding(check="scripts and translations", ok=not missing, says=says, fix=how_to_complete())


def _disks(settings: Settings) -> Iterator[Finding]:
    """Find the place with the least room of those where this machine writes; none when it writes nothing."""
    rooms = [(shutil.disk_usage(_there(path)).free // 2**20, name) for name, path in _written(settings)]
    if rooms:
        free, name = min(rooms)
        yield Finding(
            check="disk",
            ok=free >= LEAST_FREE_MIB,
            says=f"{free} MB free where {name} lies",
            fix="make room outside the data folder (docs/operations.md, 'Disk full')",
        )


def _written(settings: Settings) -> Iterator[tuple[str, Path]]:
    urls = {"database.url": settings.database.url}
    if settings.holds_keys:
        urls["keystore.url"] = settings.keystore.url
        yield "retention.journal_file", settings.retention.journal_file
        yield "figures.ledger_file", settings.figures.ledger_file
    for name, url in urls.items():
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            yield name, Path(parsed.database)


def _there(path: Path) -> Path:
    """Return the nearest folder that exists."""
    return next(folder for folder in path.absolute().parents if folder.is_dir())


def _channels(settings: Settings) -> Iterator[Finding]:
    """Check that each provider lets us in. Text messages may be off; e-mail may not."""
    for found in check_channels(settings):
        problem = explain(found.problem, "en") if found.problem else None
        off_is_right = found.channel == "sms" or not settings.runs_jobs
        yield Finding(
            check=f"channel {found.channel}",
            ok=problem is None if found.on else off_is_right,
            says="off" if not found.on else problem.says if problem else "signed in",
            fix=problem.fix
            if problem
            else "set notifications.smtp_host, and what stands by it in config.example.toml",
        )


def _test_message(settings: Settings, address: str) -> Finding:
    check, fix = "test message", "give an e-mail address or a mobile number, of a channel that is on"
    try:
        send_test(settings, SystemClock(), to=address)
    except DeliveryFailure as failure:
        problem = explain(failure.problem, "en")
        return Finding(check=check, ok=False, says=problem.says, fix=problem.fix)
    except Invalid as refusal:
        codes = ", ".join(problem.code for problem in refusal.problems)
        return Finding(check=check, ok=False, says=codes, fix=fix)
    return Finding(check=check, ok=True, says="the provider took it; look whether it arrived")


def _schema(engine: Engine) -> Finding:
    with engine.connect() as connection:
        have, wanted = migrations.current(connection), migrations.head()
    says = f"at revision {have or 'empty'}, wanted is {wanted}"
    return Finding(check="database", ok=have == wanted, says=says, fix="signals db upgrade")


def _clock(engine: Engine, clock: Clock) -> Finding:
    apart = time_apart(engine, clock)
    ahead = round(apart.total_seconds())
    return Finding(
        check="clock",
        ok=abs(apart) <= MOST_APART,
        says=f"{abs(ahead)} s {'ahead of' if ahead > 0 else 'behind'} the database's" if ahead else "right",
        fix="set both right: until then nothing is deleted or released (docs/operations.md, 'The clock')",
    )


def _keystore_finding(settings: Settings) -> tuple[Finding, bytes | None]:
    """Check the keystore; return also the root that signed the public keys, or else the pinned root."""
    pinned = settings.front.root_key
    try:
        keystore = open_keys(settings)
    except KeysUnusable as problem:
        return Finding(check="keystore", ok=False, says=problem.says, fix=problem.fix), pinned
    with keystore:
        found = _guarded("keystore", partial(_pinned, settings, keystore), "signals init makes its root")
        return found, pinned or (keystore.root_public_key() if found.ok else None)


def _receipts(settings: Settings) -> Finding:
    """Check that the keystore, and not this process, asks for the receipts of audit entries."""
    with open_keys(settings) as keystore:
        fenced = keystore.is_fenced
    return Finding(
        check="receipts",
        ok=fenced,
        says=f"the keystore gives keys of cases for {'audit entries only' if fenced else 'the asking'}",
        fix="signals keys grants, and the desk's role in keystore.url",
    )


def _case_keys(engine: Engine, settings: Settings, clock: Clock) -> Finding:
    """Check that this database can belong to the keystore."""
    with open_keys(settings) as keystore:
        most = most_are_orphans(session_factory(engine), clock, keystore=keystore)
    return Finding(
        check="case keys",
        ok=not most,
        says=f"{'most are' if most else 'no more than half are'} of no signal in this database",
        fix="nothing is swept until you looked: docs/operations.md, 'Keys of no signal'",
    )


def _accounts(engine: Engine, settings: Settings) -> Finding:
    """Check that this service wrote every row of sign-in and rights."""
    with open_keys(settings) as keystore:
        seal_rows(engine, keystore.secret)
    with session_factory(reading(engine))() as session:
        refused = refused_rows(session)
    named = ", ".join(f"{row.table} {row.id or ''}" for row in refused[:5]) + ("..." * (len(refused) > 5))
    return Finding(
        check="accounts",
        ok=not refused,
        says=f"{len(refused)} rows of sign-in and rights were written by somebody else: {named}".rstrip(": "),
        fix="treat it as a break-in: docs/somebody-attacks.md, 'A row of sign-in that was forged'",
    )


def _pinned(settings: Settings, keystore: Keystore) -> Finding:
    """Check that the root is the one that the front trusts, where this process knows that."""
    root = base64.b64encode(keystore.root_public_key()).decode()
    pinned = settings.front.root_public_key
    if pinned and pinned != root:
        fix = (
            "put the keystore back that was there before; only if this is the right one, copy the key of"
            " 'signals keys list' to front.root_public_key"
        )
        return Finding(check="keystore", ok=False, says="front.root_public_key is another root", fix=fix)
    return Finding(check="keystore", ok=True, says="the master key fits")
