"""`signals doctor`: check that everything is in order, and say how to fix what is not."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from signals.cli import answer, json_option, settings_of
from signals.cli.database_findings import look_at_database
from signals.cli.findings import Finding, guarded
from signals.cli.opening import log_warnings_only
from signals.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from privacy.keystore import Keystore
    from signals.clock import Clock

LEAST_FREE_MIB = 200
"""The least room: a full disk refuses every report, without a sign before that."""


@click.command()
@click.option("--send-test", "address", default="", help="Send a test message to this address or phone too.")
@json_option
@click.pass_context
def doctor(context: click.Context, *, address: str, as_json: bool) -> None:
    """Check settings, database, keys, routing, channels and waiting work; exit code 1 for a problem.

    Example: signals doctor --send-test beheer@example.org
    """
    settings = settings_of(context)
    log_warnings_only()
    findings = list(examine(settings))
    if address:
        findings.append(_test_message(settings, address))
    ok = all(finding.ok for finding in findings)
    checks = [finding.as_json() for finding in findings]
    answer({"ok": ok, "checks": checks}, as_json=as_json, text=_in_words, ok=ok)


def examine(settings: Settings, clock: "Clock | None" = None) -> Iterator[Finding]:
    """Yield all findings; leave out a check that needs something that failed."""
    from signals.clock import SystemClock
    from signals.db import make_engine

    yield Finding(check="settings", ok=True, says=f"role {settings.role}, environment {settings.environment}")
    yield from _disks(settings)
    engine = make_engine(settings.database.url)
    try:
        schema = guarded("database", lambda: _schema(engine), "start the database, or fix database.url")
        yield schema
        root, can_open = settings.front.root_key, False
        if settings.holds_keys:
            keystore, root = _keystore_finding(settings)
            can_open = keystore.ok
            yield keystore
        if schema.ok:
            yield from look_at_database(engine, settings, clock or SystemClock(), root)
        if schema.ok and can_open and settings.runs_jobs:  # a desk's role sees no signals
            look = partial(_case_keys, engine, settings, clock or SystemClock())
            yield guarded("case keys", look, "signals db check")
        if settings.holds_keys:
            yield from _channels(settings)
    finally:
        engine.dispose()


def _disks(settings: Settings) -> Iterator[Finding]:
    """Find the place with the least room of those where this machine writes; none when it writes nothing."""
    import shutil

    rooms = {name: shutil.disk_usage(_there(path)).free // 2**20 for name, path in _written(settings)}
    if rooms:
        name = min(rooms, key=lambda one: rooms[one])
        yield Finding(
            check="disk",
            ok=rooms[name] >= LEAST_FREE_MIB,
            says=f"{rooms[name]} MB free where {name} lies",
            fix="make room outside the data folder (docs/operations.md, 'Disk full')",
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
    """Return the nearest folder that exists."""
    return next(folder for folder in path.absolute().parents if folder.is_dir())


def _channels(settings: Settings) -> Iterator[Finding]:
    """Check that each provider lets us in. Text messages may be off; e-mail may not."""
    from notifications.words import explain
    from signals.notices.channels import check_channels

    off = "set notifications.smtp_host, and what stands by it in config.example.toml"
    for found in check_channels(settings):
        problem = explain(found.problem, "en") if found.problem else None
        if not found.on:
            says, ok = "off", found.channel == "sms" or not settings.runs_jobs
        else:
            says, ok = problem.says if problem else "signed in", problem is None
        fix = problem.fix if problem else off
        yield Finding(check=f"channel {found.channel}", ok=ok, says=says, fix=fix)


def _test_message(settings: Settings, address: str) -> Finding:
    from notifications.retry import DeliveryFailure
    from notifications.words import explain
    from signals.clock import SystemClock
    from signals.errors import Invalid
    from signals.notices.channels import send_test

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


def _schema(engine: "Engine") -> Finding:
    import migrations

    with engine.connect() as connection:
        have, wanted = migrations.current(connection), migrations.head()
    says = f"at revision {have or 'empty'}, wanted is {wanted}"
    return Finding(check="database", ok=have == wanted, says=says, fix="signals db upgrade")


def _keystore_finding(settings: Settings) -> "tuple[Finding, bytes | None]":
    """Check the keystore; return also the root that signed the public keys, or else the pinned root."""
    from signals.keys.opening import KeysUnusable, open_keys

    pinned = settings.front.root_key
    try:
        keystore = open_keys(settings)
    except KeysUnusable as problem:
        return Finding(check="keystore", ok=False, says=problem.says, fix=problem.fix), pinned
    try:
        found = guarded("keystore", lambda: _pinned(settings, keystore), "signals init makes its root")
        return found, pinned or (keystore.root_public_key() if found.ok else None)
    finally:
        keystore.dispose()


def _case_keys(engine: "Engine", settings: Settings, clock: "Clock") -> Finding:
    """Check that this database can belong to the keystore."""
    from signals.db import session_factory
    from signals.keys.opening import open_keys
    from signals.keys.sweeping import most_are_orphans

    keystore = open_keys(settings)
    try:
        most = most_are_orphans(session_factory(engine), clock, keystore=keystore)
    finally:
        keystore.dispose()
    return Finding(
        check="case keys",
        ok=not most,
        says=f"{'most are' if most else 'no more than half are'} of no signal in this database",
        fix="nothing is swept until you looked: docs/operations.md, 'Keys of no signal'",
    )


def _pinned(settings: Settings, keystore: "Keystore") -> Finding:
    """Check that the root is the one that the front trusts, where this process knows that."""
    import base64

    root = base64.b64encode(keystore.root_public_key()).decode()
    pinned = settings.front.root_public_key
    if pinned and pinned != root:
        fix = (
            "put the keystore back that was there before; only if this is the right one, copy the key of"
            " 'signals keys list' to front.root_public_key"
        )
        return Finding(check="keystore", ok=False, says="front.root_public_key is another root", fix=fix)
    return Finding(check="keystore", ok=True, says="the master key fits")


def _in_words(data: dict[str, Any]) -> str:
    lines = []
    for finding in data["checks"]:
        lines.append(f"{'ok     ' if finding['ok'] else 'PROBLEM'} {finding['check']}: {finding['says']}")
        if not finding["ok"]:
            lines.append(f"        fix: {finding['mend']}")
    return "\n".join(lines)
