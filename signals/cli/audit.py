"""`signals audit`: whether the record of who accessed what is as it was written."""

from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from signals.cli import answer, json_option, settings_of
from signals.cli.opening import everything

if TYPE_CHECKING:
    from privacy.audit_chain import SignedHead
    from signals.app import Opened
    from signals.audit.trail import TrailKeys


@click.group()
def audit() -> None:
    """Check the record of who accessed what (NEN 7513).

    Example: signals audit verify
    """


@audit.command()
@click.option(
    "--head",
    "head_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="A head kept elsewhere, as 'audit head --json' printed it; the last whole line counts.",
)
@json_option
@click.pass_context
def verify(context: click.Context, *, head_file: Path | None, as_json: bool) -> None:
    """Check every entry, the chain over them and its signed heads; exit code 1 for a finding.

    The check finds entries that were changed, removed or reordered, and entries that no worker linked within
    an hour. It names the first of each kind, with the moment of the entry before it. Only --head finds that
    the end of the trail is missing together with its heads. Of entries that no worker has linked yet, the
    check finds a changed or added one, and not a missing one.

    Example: signals audit verify --head heads.jsonl
    """
    from sqlalchemy import func, select

    from signals.audit.trail import moment_before, verify_trail
    from signals.models import AuditEntry, AuditLink

    known = _head_from(head_file) if head_file else None
    with everything(settings_of(context)) as opened, opened.sessions() as session:
        found = verify_trail(session, opened.clock, keys=_keys(opened), known_head=known)
        entries = session.scalar(select(func.count()).select_from(AuditEntry)) or 0
        linked = session.scalar(select(func.count()).select_from(AuditLink)) or 0
        findings = [
            {
                "kind": finding.kind.value,
                "position": finding.position,
                "after": moment_before(session, finding.position),
                "entry_id": finding.entry_id,
                "means": _MEANS[finding.kind],
            }
            for finding in found
        ]
    data = {"ok": not findings, "entries": entries, "linked": linked, "findings": findings}
    answer(data, as_json=as_json, text=_verified, ok=not findings)


@audit.command()
@json_option
@click.pass_context
def head(context: click.Context, *, as_json: bool) -> None:
    """Print the last signed head of the chain; a copy elsewhere proves what the trail held.

    Example: signals audit head --json >> heads.jsonl
    """
    from signals.audit.trail import latest_head

    with everything(settings_of(context)) as opened, opened.sessions() as session:
        last = latest_head(session)
    none = {"position": 0, "link": None, "at": None, "signature": None}
    answer(last.as_json() if last else none, as_json=as_json, text=_head_text)


def _keys(opened: "Opened") -> "TrailKeys":
    from signals.audit.trail import TrailKeys

    return TrailKeys(mac_key=opened.keystore.secret("audit"), root=opened.keystore.root_signing_key())


def _head_from(file: Path) -> "SignedHead":
    """Return the head in the last whole line of a file; exit with code 2 when there is none.

    Skip a line that a crash or a full disk cut off, with a warning.
    """
    import json

    from privacy.audit_chain import SignedHead

    lines = [line for line in file.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    cut = list(takewhile(_is_cut_off, reversed(lines)))
    try:
        head = SignedHead.from_json(json.loads(lines[-1 - len(cut)]))
    except (ValueError, KeyError, TypeError, IndexError):
        raise click.BadParameter("this is no head of 'audit head --json'", param_hint="--head") from None
    if cut:
        _tell_of_cut_lines(file, len(cut), head)
    return head


def _is_cut_off(line: str) -> bool:
    import json

    try:
        json.loads(line)
    except ValueError:
        return line.startswith("{")
    return False


def _tell_of_cut_lines(file: Path, count: int, head: "SignedHead") -> None:
    which = "line" if count == 1 else f"{count} lines"
    click.echo(
        f"The last {which} of {file.name} cannot be read as a head: cut off by a crash, or changed."
        f" What counts is the line before, of {head.at:%Y-%m-%d}.",
        err=True,
    )


_MEANS = {
    "edited": "the entry was changed, or its place in the chain",
    "deleted": "an entry is missing here; those after it are there",
    "reordered": "entries stand in another order than they were written in",
    "truncated": "from here on entries are missing that a signed head speaks of; a restore to a day before"
    " that head does the same",
    "rewritten": "the chain is another one than the one that was signed here",
    "head_refused": "this head was not signed by this keystore's root",
    "unsigned": "the signed heads from here on are missing",
    "unlinked": "waits for over an hour: no worker links entries ('signals work'), its link was removed, or"
    " it was slipped in",
}
"""The meaning of each `FindingKind`."""


def _verified(data: dict[str, Any]) -> str:
    found = data["findings"]
    lines = [line for finding in found for line in _in_words(finding)]
    lines.append(f"{data['entries']} entries, {data['linked']} linked, {len(found)} findings.")
    if found:
        lines.append(
            "Change nothing in the database, copy it as it is, and tell the privacy officer:"
            " docs/operations.md, 'A finding in the audit trail'."
        )
    return "\n".join(lines)


def _in_words(finding: dict[str, Any]) -> list[str]:
    where = f"{finding['kind']} at position {finding['position']}"
    if finding["after"]:
        where += f", after the entry of {finding['after']:%Y-%m-%d %H:%M:%S} UTC"
    if finding["entry_id"]:
        where += f"; entry {finding['entry_id']}"
    return [where, f"    {finding['means']}"]


def _head_text(data: dict[str, Any]) -> str:
    if not data["position"]:
        return "No head was signed yet."
    return f"{data['position']} {data['link']} {data['at']} {data['signature']}"
