"""What a report says, and how it travels: sealed at the door, then under the case's own key.

The front seals with public keys only; opening takes keys handed in by the caller, so that this
module needs no keystore.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, Protocol

from sqlalchemy import Row
from structlog import get_logger

from privacy.sealing import (
    SCHEMA_VERSION,
    CaseReader,
    CaseSealer,
    SealContext,
    SealingError,
    canonical_json,
    open_json,
    parse_json,
)
from signals.errors import ContentGone
from signals.models import Signal
from signals.postcodes import Address
from signals.vocabulary import ConcernType, Seen

log = get_logger(__name__)

SignalRow = Row[*tuple[Any, ...]]
"""A row with a signal's id, organisation, case key, version of the schema, content and summary."""


class CaseKeys(Protocol):
    """Where case keys are found; the keystore on the desk side."""

    def case_keys(self, key_ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, bytes]:
        """The keys that still exist, by id."""
        ...


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a queue page needs to show of a signal."""

    concern_types: tuple[ConcernType, ...] = field(default=(), repr=False)
    seen: Seen | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a carrier passes on; nothing of it is in the repr."""

    address: Address = field(repr=False)
    summary: Summary = field(default_factory=Summary, repr=False)
    noticed_on: date | None = field(default=None, repr=False)
    note: str | None = field(default=None, repr=False)

    def to_plain(self) -> dict[str, Any]:
        """The report as JSON values; equal reports give equal values (order of concern types aside)."""
        return _content_of(self) | _plain_summary(self.summary)

    def canonical(self) -> bytes:
        """The bytes by which a retry is told from another report."""
        return canonical_json(self.to_plain())


def report_from_plain(plain: Mapping[str, Any]) -> Report:
    """The report that `to_plain` described."""
    return Report(
        address=Address(postcode=plain["pc"], number=plain["nr"], addition=plain["add"]),
        summary=_summary_from(plain),
        noticed_on=date.fromisoformat(plain["on"]) if plain["on"] else None,
        note=plain["note"],
    )


def case_context(signal: Signal | SignalRow) -> SealContext:
    """What the sealed columns of a signal are bound to."""
    return context_of(signal.id, signal.organisation_id, signal.case_key_id, signal.schema_version)


def context_of(
    signal_id: uuid.UUID, organisation_id: uuid.UUID, key_id: uuid.UUID, schema_version: int = SCHEMA_VERSION
) -> SealContext:
    """The binding of an envelope to its signal, organisation and key."""
    return SealContext(
        signal_id=signal_id, organisation_id=organisation_id, key_id=key_id, schema_version=schema_version
    )


def seal_for_case(report: Report, case_key: bytes, context: SealContext) -> tuple[bytes, bytes]:
    """(content, summary) sealed under the case key, each of one size whatever was said."""
    sealer = CaseSealer(case_key, context)
    content = sealer.seal(canonical_json(_content_of(report)), purpose="content")
    return content, sealer.seal(canonical_json(_plain_summary(report.summary)), purpose="summary")


def seal_what_came(text: bytes, case_key: bytes, context: SealContext) -> tuple[Address, bytes, bytes]:
    """(address, content, summary) of a report's JSON as the door sealed it: checked, and sealed as it is.

    Raises what tells that it is no report: `InvalidAddressPart` or another ValueError, AttributeError,
    KeyError, TypeError, `SealingError`.
    """
    plain = parse_json(text)
    address = Address.parse(postcode=plain["pc"], number=plain["nr"], addition=plain["add"])
    if plain["on"]:
        date.fromisoformat(plain["on"])
    sealer = CaseSealer(case_key, context)
    summary = _checked_summary(tuple(plain["types"]), plain["seen"])
    return address, sealer.seal(text, purpose="content"), sealer.seal(summary, purpose="summary")


def open_report(keys: CaseKeys, signal: Signal) -> Report:
    """The whole report of one signal; raises `ContentGone` when its key was destroyed.

    The caller has committed an audit entry first.
    """
    return _open_with(keys.case_keys([signal.case_key_id]).get(signal.case_key_id), signal)


def open_reports(keys: CaseKeys, signals: Iterable[Signal | SignalRow]) -> dict[uuid.UUID, Report]:
    """The reports of many signals in one keystore query, for jobs; those that cannot be read are left out."""
    wanted = list(signals)
    found = keys.case_keys([signal.case_key_id for signal in wanted])
    opened: dict[uuid.UUID, Report] = {}
    for signal in wanted:
        try:
            opened[signal.id] = _open_with(found.get(signal.case_key_id), signal)
        except (ContentGone, SealingError) as error:
            log.warning("contents.unreadable", signal_id=str(signal.id), error=type(error).__name__)
    return opened


def open_summaries(keys: CaseKeys, signals: Iterable[Signal | SignalRow]) -> dict[uuid.UUID, Summary]:
    """The summaries of a page of signals in one keystore query; those whose key is gone are left out."""
    wanted = list(signals)
    found = keys.case_keys([signal.case_key_id for signal in wanted])
    return {
        signal.id: _open_summary(signal, found[signal.case_key_id])
        for signal in wanted
        if signal.case_key_id in found
    }


def _open_with(key: bytes | None, signal: Signal | SignalRow) -> Report:
    if key is None:
        raise ContentGone
    reader = CaseReader(key, case_context(signal))
    content = reader.open_json(signal.content, purpose="content")
    return report_from_plain(content | reader.open_json(signal.summary, purpose="summary"))


def _open_summary(signal: Signal | SignalRow, key: bytes) -> Summary:
    return _summary_from(open_json(signal.summary, key, case_context(signal), purpose="summary"))


def _content_of(report: Report) -> dict[str, Any]:
    return {
        "pc": report.address.postcode,
        "nr": report.address.number,
        "add": report.address.addition,
        "on": report.noticed_on.isoformat() if report.noticed_on else None,
        "note": report.note,
    }


def _plain_summary(summary: Summary) -> dict[str, Any]:
    return {"types": sorted(set(summary.concern_types)), "seen": summary.seen}


@lru_cache(maxsize=1024)  # there are few, and none says whose it is
def _checked_summary(types: tuple[str, ...], seen: str | None) -> bytes:
    return canonical_json(_plain_summary(_summary_from({"types": types, "seen": seen})))


def _summary_from(plain: Mapping[str, Any]) -> Summary:
    return Summary(
        concern_types=tuple(ConcernType(code) for code in plain["types"]),
        seen=Seen(plain["seen"]) if plain["seen"] else None,
    )
