"""`signals audit`: whether the record of who accessed what is as it was written."""

import json
import re
from pathlib import Path
from typing import Any, Final

import click
from sqlalchemy import func, select

from privacy.audit_chain import SignedHead
from signals.app import Opened
from signals.audit.trail import TrailKeys, latest_head, moment_before, verify_trail
from signals.cli import answers
from signals.cli.opening import FILE, everything
from signals.models import AuditEntry, AuditLink

_MEANS: Final = {
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
_FOLDED: Final = re.compile(r"[\s>]+")
"""Spaces, and what mail programs add: ends of lines, and the marks of a quotation."""
_HEAD: Final = re.compile(r'\{"position":[^{}]+\}')


@click.group()
def audit() -> None:
    """Check the record of who accessed what (NEN 7513).

    Example: signals audit verify
    """


def _verified(data: dict[str, Any]) -> str:
    found = data["findings"]
    lines = [line for finding in found for line in _in_words(finding)]
    lines.append(f"{data['entries']} entries, {data['linked']} linked, {len(found)} findings.")
    if found:
        lines.append(
            "Change nothing in the database, copy it as it is, and notify the privacy officer:"
            " docs/somebody-attacks.md, 'A finding in the audit trail'."
        )
    return "\n".join(lines)


def _in_words(finding: dict[str, Any]) -> list[str]:
    where = f"{finding['kind']} at position {finding['position']}"
    if finding["after"]:
        where += f", after the entry of {finding['after']:%Y-%m-%d %H:%M:%S} UTC"
    if finding["entry_id"]:
        where += f"; entry {finding['entry_id']}"
    return [where, f"    {finding['means']}"]


@audit.command()
@click.option(
    "--head",
    "file",
    type=FILE,
    help="A file with heads: of 'audit head --json', of the backup, or a saved mail.",
)
@answers(_verified)
def verify(file: Path | None) -> dict[str, Any]:
    """Check every entry, the chain and its signed heads.

    Exit code 1 for a finding: an entry that was changed, removed or reordered, or that no worker linked
    within an hour. The answer names the first of each kind. Only --head finds that the end of the trail is
    missing together with its heads; the last whole head of its file counts. The check does not find a missing
    entry that no worker has linked yet.

    Example: signals audit verify --head heads.jsonl
    """
    known = _head_from(file) if file else None
    with everything() as opened, opened.sessions() as session:
        found = verify_trail(session, opened.clock, keys=_keys(opened), known_head=known)
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
        return {
            "ok": not findings,
            "entries": session.scalar(select(func.count()).select_from(AuditEntry)),
            "linked": session.scalar(select(func.count()).select_from(AuditLink)),
            "findings": findings,
        }


def _keys(opened: Opened) -> TrailKeys:
    return TrailKeys(mac_key=opened.keystore.secret("audit"), root=opened.keystore.root_signing_key())


def _head_from(file: Path) -> SignedHead:
    """Return the last whole head in a file, such as a saved mail; exit with code 2 when there is none.

    Skip what a crash or a full disk cut off, with a warning.
    """
    text = _FOLDED.sub("", file.read_text(encoding="utf-8", errors="replace"))
    whole = list(_HEAD.finditer(text))
    try:
        head = SignedHead.from_json(json.loads(whole[-1][0]))
    except (ValueError, KeyError, TypeError, IndexError):
        raise click.BadParameter("this holds no head of 'audit head --json'", param_hint="--head") from None
    if "{" in text[whole[-1].end() :]:
        click.echo(
            f"The end of {file.name} cannot be read as a head. The one before counts, of {head.at:%Y-%m-%d}.",
            err=True,
        )
    return head


def _head_text(data: dict[str, Any]) -> str:
    if not data["position"]:
        return "No head was signed yet."
    return f"{data['position']} {data['link']} {data['at']} {data['signature']}"


@audit.command()
@answers(_head_text)
def head() -> dict[str, Any]:
    """Print the last signed head; keep copies elsewhere as proof.

    Example: signals audit head --json >> heads.jsonl
    """
    with everything() as opened, opened.sessions() as session:
        last = latest_head(session)
    return last.as_json() if last else {"position": 0, "link": None, "at": None, "signature": None}
