"""The content of a report: the front seals it to a mailbox, and arrival seals it under the key of the case.

The front seals with public keys only; opening takes keys handed in by the caller, so that this
module needs no keystore.
"""

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import Row
from structlog import get_logger

from privacy.redaction import redact
from privacy.sealing import (
    SCHEMA_VERSION,
    CaseSealer,
    SealContext,
    SealingError,
    canonical_json,
    open_json,
    parse_json,
    summary_key,
)
from signals.errors import ContentGone
from signals.models import Signal
from signals.routing.places import Place
from signals.routing.postcodes import Address
from signals.vocabulary import ConcernType, Profession, Seen, Source

log = get_logger(__name__)

_POSTCODE: Final = re.compile("[1-9][0-9]{3}[A-Z]{2}")
NOTICED_DAYS_BACK: Final = 14
RETRY_DAYS: Final = 7
"""Days in which the same key and body give the same answer, and in which a report may wait on a phone."""
NOTE_LENGTH: Final = 280
"""Characters."""
_KEYS: Final = frozenset({"pc", "nr", "add", "on", "note", "types", "seen", "by"})
_NO_REPORT: Final = (AttributeError, KeyError, TypeError, ValueError)
"""Errors that Python raises when content is no report."""

LONGEST_NEIGHBOURHOOD: Final = 60  # a summary has one size, and with a longer name it might not fit

SignalRow = Row[*tuple[Any, ...]]
"""A row with a signal's id, organisation, case key, version of the schema, content and summary."""
_Read = TypeVar("_Read")


class ContentRefused(SealingError):
    """The envelope holds no report."""


class CaseKeys(Protocol):
    """A source of case keys: the keystore of a job, or what an audit entry admits a person to."""

    def case_keys(self, key_ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, bytes]:
        """Return the keys that still exist, by id."""


class SummaryKeys(Protocol):
    """The same of the keys of summaries."""

    def summary_keys(self, key_ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, bytes]:
        """Return the keys that still exist, by id."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The part of a signal that a queue page shows.

    `profession`: of the sender, as a token proved it.
    `neighbourhood` (a name, empty when no file has it) and `municipality` (a code): arrival looks them up.
    """

    concern_types: tuple[ConcernType, ...] = field(default=(), repr=False)
    seen: Seen | None = field(default=None, repr=False)
    profession: Profession | None = field(default=None, repr=False)
    neighbourhood: str = field(default="", repr=False)
    municipality: str = field(default="", repr=False)

    def at(self, place: Place) -> "Summary":
        """Return the summary with the neighbourhood and municipality of an address."""
        name = place.neighbourhood[:LONGEST_NEIGHBOURHOOD]
        return replace(self, neighbourhood=name, municipality=place.municipality_code)

    def proved(self, profession: Profession | None) -> "Summary":
        """Return the summary; without its profession where the row, which the front wrote, has another."""
        return self if profession == self.profession else replace(self, profession=None)

    @property
    def source(self) -> Source:
        """Return what is known of the sender."""
        return Source.of(self.profession)


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report of a carrier; the repr shows nothing of it."""

    address: Address = field(repr=False)
    summary: Summary = field(default_factory=Summary, repr=False)
    noticed_on: date | None = field(default=None, repr=False)
    note: str | None = field(default=None, repr=False)

    def to_plain(self) -> dict[str, Any]:
        """Return the report as JSON values; equal reports give equal values."""
        return _content_of(self) | _noticed(self.summary)

    def canonical(self) -> bytes:
        """Return the bytes that tell a retry from another report."""
        return canonical_json(self.to_plain())


def report_from_plain(plain: Mapping[str, Any]) -> Report:
    """Return the report that `to_plain` described; raise `ContentRefused` for anything else.

    Somebody with access to the database may have sealed it, so a job must be able to pass it over.
    """
    try:
        return Report(
            address=_address_from(plain),
            summary=_summary_from(plain),
            noticed_on=date.fromisoformat(plain["on"]) if plain["on"] else None,
            note=_note_from(plain),
        )
    except _NO_REPORT:
        raise ContentRefused from None


def case_context(signal: Signal | SignalRow) -> SealContext:
    """Return the context to which a signal's sealed columns are bound."""
    return context_of(signal.id, signal.organisation_id, signal.case_key_id, signal.schema_version)


def context_of(
    signal_id: uuid.UUID, organisation_id: uuid.UUID, key_id: uuid.UUID, schema_version: int = SCHEMA_VERSION
) -> SealContext:
    """Return the context that binds an envelope to its signal, organisation and key."""
    return SealContext(
        signal_id=signal_id, organisation_id=organisation_id, key_id=key_id, schema_version=schema_version
    )


def seal_for_case(report: Report, case_key: bytes, context: SealContext) -> tuple[bytes, bytes]:
    """(content, summary) sealed under the case key, each of one size whatever was said."""
    content = CaseSealer(case_key, context).seal(canonical_json(_content_of(report)), purpose="content")
    return content, _seal_summary(canonical_json(_plain_summary(report.summary)), case_key, context)


def report_that_may_stay(text: bytes, *, received_on: date, notes_enabled: bool) -> Report:
    """Return a report as arrival keeps it, with its note redacted; raise `SealingError`.

    Unknown codes go, days that no report may name, and a note where notes are switched off.
    """
    plain = parse_json(text)
    if plain.keys() != _KEYS:
        raise ContentRefused
    report = report_from_plain(plain | _in_our_spelling(plain))
    note = _redacted(_printable(report.note)) if report.note and notes_enabled else None
    noticed_on = report.noticed_on if _may_be_noticed(report.noticed_on, received_on) else None
    return replace(report, note=note, noticed_on=noticed_on)


def _in_our_spelling(plain: Mapping[str, Any]) -> dict[str, Any]:
    try:
        address = Address.parse(postcode=plain["pc"], number=plain["nr"], addition=plain["add"])
    except _NO_REPORT:
        raise ContentRefused from None
    codes = {
        "types": _known(ConcernType, plain["types"]),
        "seen": next(iter(_known(Seen, [plain["seen"]])), None),
        "by": next(iter(_known(Profession, [plain["by"]])), None),
    }
    return {"pc": address.postcode, "nr": address.number, "add": address.addition, **codes}


def _known(kind: type[StrEnum], codes: object) -> list[StrEnum]:
    """Return the codes that are in use: a page that is weeks old may send one that is not."""
    if not isinstance(codes, list):
        raise ContentRefused
    return [code for code in kind if code.value in codes]


def _redacted(note: str) -> str:
    """Return a note without what identifies; a note that a front redacted may be longer than typed ones."""
    return redact(note if len(note) <= NOTE_LENGTH or redact(note).text == note else note[:NOTE_LENGTH]).text


def _printable(note: str) -> str:
    return "".join(character if character.isprintable() or character == "\n" else " " for character in note)


def _may_be_noticed(noticed_on: date | None, received_on: date) -> bool:
    """Return whether a report that waited offline may name this day."""
    earliest = received_on - timedelta(days=NOTICED_DAYS_BACK + RETRY_DAYS)
    return noticed_on is not None and earliest <= noticed_on <= received_on


def check_what_came(text: bytes) -> tuple[Address, Summary]:
    """Return address and summary of a report's JSON as the door sealed it.

    Raises `SealingError`; of these `ContentRefused` when it is no report, or none that the door writes: what
    arrives must be read by every page and job for as long as it is kept.
    """
    plain = parse_json(text)
    try:
        address = _checked_address(plain)
        summary = _checked_summary(tuple(plain["types"]), plain["seen"], plain["by"])
        _note_from(plain)
        if plain["on"]:
            date.fromisoformat(plain["on"])
    except _NO_REPORT:
        raise ContentRefused from None
    return address, summary


def seal_what_came(
    text: bytes, summary: Summary, case_key: bytes, context: SealContext
) -> tuple[bytes, bytes]:
    """(content, summary) of a report's JSON that was checked, sealed as it is."""
    content = CaseSealer(case_key, context).seal(text, purpose="content")
    return content, _seal_summary(canonical_json(_plain_summary(summary)), case_key, context)


def _seal_summary(summary: bytes, case_key: bytes, context: SealContext) -> bytes:
    """Seal under a key of its own, so that a list opens summaries and no more."""
    return CaseSealer(summary_key(case_key), context).seal(summary, purpose="summary")


def open_report(keys: CaseKeys, signal: Signal) -> Report:
    """Return the report of a signal, after its audit entry; raise `ContentGone` when it cannot be read."""
    return _open_with(keys.case_keys([signal.case_key_id]).get(signal.case_key_id), signal)


def open_reports(keys: CaseKeys, signals: Iterable[Signal | SignalRow]) -> dict[uuid.UUID, Report]:
    """Return the readable reports of many signals, with one keystore query, for jobs."""
    return _opened(keys.case_keys, signals, _open_with)


def open_summaries(keys: SummaryKeys, signals: Iterable[Signal | SignalRow]) -> dict[uuid.UUID, Summary]:
    """Return the readable summaries of a page of signals, with one keystore query."""
    return _opened(keys.summary_keys, signals, _open_summary)


def _opened(
    fetch: Callable[[Iterable[uuid.UUID]], Mapping[uuid.UUID, bytes]],
    signals: Iterable[Signal | SignalRow],
    read: Callable[[bytes | None, Signal | SignalRow], _Read],
) -> dict[uuid.UUID, _Read]:
    """One that cannot be read is nobody's reason to go without the others."""
    wanted = list(signals)
    found = fetch([signal.case_key_id for signal in wanted])
    opened: dict[uuid.UUID, _Read] = {}
    for signal in wanted:
        try:
            opened[signal.id] = read(found.get(signal.case_key_id), signal)
        except ContentGone:
            log.warning("contents.unreadable", signal_id=str(signal.id))
    return opened


def _open_with(key: bytes | None, signal: Signal | SignalRow) -> Report:
    context = case_context(signal)
    with readable(key) as whole:
        content = open_json(signal.content, whole, context, purpose="content")
        summary = open_json(signal.summary, summary_key(whole), context, purpose="summary")
        return report_from_plain(content | summary)


def _open_summary(key: bytes | None, signal: Signal | SignalRow) -> Summary:
    with readable(key) as whole:
        return _summary_from(open_json(signal.summary, whole, case_context(signal), purpose="summary"))


@contextmanager
def readable(key: bytes | None) -> Iterator[bytes]:
    """Give a case's key for opening; raise `ContentGone` without it, and for content that does not open."""
    if key is None:
        raise ContentGone
    try:
        yield key
    except (SealingError, *_NO_REPORT):
        raise ContentGone from None


def _content_of(report: Report) -> dict[str, Any]:
    return {
        "pc": report.address.postcode,
        "nr": report.address.number,
        "add": report.address.addition,
        "on": report.noticed_on.isoformat() if report.noticed_on else None,
        "note": report.note,
    }


def _noticed(summary: Summary) -> dict[str, Any]:
    return {"types": sorted(set(summary.concern_types)), "seen": summary.seen, "by": summary.profession}


def _plain_summary(summary: Summary) -> dict[str, Any]:
    """Write a place always: whatever the door sealed under that name must not be read as one."""
    return _noticed(summary) | {"in": [summary.neighbourhood, summary.municipality]}


@lru_cache(maxsize=1024)  # there are few, and none says whose it is
def _checked_summary(types: tuple[str, ...], seen: str | None, by: str | None) -> Summary:
    return _summary_from({"types": types, "seen": seen, "by": by})


def _checked_address(plain: Mapping[str, Any]) -> Address:
    """Return the address in the one spelling that intake writes."""
    address = Address.parse(postcode=plain["pc"], number=plain["nr"], addition=plain["add"])
    if (address.postcode, address.addition) != (plain["pc"], plain["add"]):
        raise ValueError
    return address


def _address_from(plain: Mapping[str, Any]) -> Address:
    """By its shape only: a rule of today must not close what an earlier release took."""
    address = Address(postcode=plain["pc"], number=plain["nr"], addition=plain["add"])
    if not (_POSTCODE.fullmatch(address.postcode) and type(address.number) is int):
        raise ValueError
    if not isinstance(address.addition, str):
        raise TypeError
    return address


def _note_from(plain: Mapping[str, Any]) -> str | None:
    note: object = plain["note"]
    if note is None or isinstance(note, str):
        return note
    raise TypeError


def _summary_from(plain: Mapping[str, Any]) -> Summary:
    neighbourhood, municipality = map(str, plain.get("in", ("", "")))
    return Summary(
        concern_types=tuple(ConcernType(code) for code in plain["types"]),
        seen=Seen(plain["seen"]) if plain["seen"] else None,
        profession=Profession(plain["by"]) if plain["by"] else None,
        neighbourhood=neighbourhood,
        municipality=municipality,
    )
