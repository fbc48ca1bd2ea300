"""Bring the catalogues up to date with the code: `make texts`.

A new message gets an empty translation, and an unused message goes.
tests/web/test_catalogues.py checks the result.
"""

from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from notifications.events import Event
from signals import reference
from signals.audit.grounds import Ground
from signals.casework.outcomes import ReopenReason
from signals.casework.suggestions import PartOfDay
from signals.lifecycle.transitions import NextStep
from signals.models.connection import SystemKind
from signals.organisations.csv_file import FileProblem
from signals.residents.requests import IdentityProof, ResidenceProof, Right
from signals.routing.coverage_problems import ProblemKind
from signals.routing.rows import CoverageLevel
from signals.statistics.menu import menu
from signals.vocabulary import (
    Action,
    AttemptKind,
    AttemptResult,
    AuditAction,
    ComparisonArm,
    ConcernType,
    ContactBy,
    DeferralReason,
    DeletionReason,
    NotifiedBy,
    NotReachedReason,
    OrganisationKind,
    Outcome,
    Profession,
    ReferralReason,
    ReferredTo,
    RetentionRule,
    Role,
    Seen,
    SignalState,
)
from signals.web.figures import words

PROJECT = Path(__file__).resolve().parents[1]
WEB, NOTIFICATIONS = PROJECT / "signals" / "web", PROJECT / "notifications"
PACKAGES = (WEB, NOTIFICATIONS)
"""Folders with code, templates and catalogues; notifications work without the rest."""
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
KEYWORDS = {
    "_": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "mark": None,
}
READ_BY_CARRIERS: tuple[type[StrEnum], ...] = (ConcernType, Profession, Seen)
READ_BY_STAFF: tuple[type[StrEnum], ...] = (
    Action,
    AttemptKind,
    AttemptResult,
    AuditAction,
    ComparisonArm,
    ContactBy,
    CoverageLevel,
    DeferralReason,
    DeletionReason,
    FileProblem,
    Ground,
    IdentityProof,
    NextStep,
    NotifiedBy,
    NotReachedReason,
    OrganisationKind,
    Outcome,
    PartOfDay,
    ProblemKind,
    ReferralReason,
    ReferredTo,
    ReopenReason,
    ResidenceProof,
    RetentionRule,
    Right,
    Role,
    SignalState,
    SystemKind,
)
"""The enums that people read: each code is a message, with the name of its enum as context."""
SOURCE, OF_STAFF = "en", "nl"
"""English has words for codes only: other texts are English in the code. Dutch has everything.

Each other language has what carriers and residents read.
"""
OF_CARRIERS = (
    "desk/letters/",
    "front/",
    "http/",
    "labels.py",
    "sheets.py",
    "templates/front/",
    "templates/base.html",
    "templates/error.html",
)
NOT_OF_CARRIERS = ("http/staff_answers.py",)
CODES, CODES_OF_CARRIERS = "codes", "codes of carriers"
"""The place of a message that is a code, instead of a file."""
KEPT_HEADERS = ("Language:", "Plural-Forms:", "Content-Type:")
"""The other headers name a moment, a person or a version, and would change at every run."""


def main() -> None:
    """Write each catalogue again with the messages that the code has now."""
    for package in PACKAGES:
        for code in languages(package):
            write(code, updated(code, package), package)


def languages(package: Path = WEB) -> list[str]:
    """Return the codes of the languages in which a package has a catalogue."""
    return sorted(path.name for path in (package / "translations").iterdir())


def read(code: str, package: Path = WEB) -> Catalog:
    """Return the catalogue of a language as it is stored."""
    with _file(code, package).open("rb") as file:
        return read_po(file, locale=code)


def updated(code: str, package: Path = WEB) -> Catalog:
    """Return the catalogue of a language with the messages that it must have, and the known translations."""
    known = read(code, package)
    made = Catalog(locale=code, fuzzy=False)
    made.mime_headers = known.mime_headers
    made.header_comment = known.header_comment
    for message in wanted(code, package):
        old = known.get(message.id, message.context)
        string = old.string if old and old.pluralizable == message.pluralizable else None
        made.add(message.id, string or "", context=message.context)
    return made


def wanted(code: str, package: Path = WEB) -> list[Message]:
    """Return the messages that the catalogue of a language must have, in the order of the file."""
    return sorted(
        (each for each in messages(package) if _is_read_in(code, each)),
        key=lambda each: (each.context or "", each.id[0] if each.pluralizable else each.id),
    )


@cache
def messages(package: Path) -> tuple[Message, ...]:
    """Return each message of a package once, with the files that have it."""
    template = Catalog()
    for file, line, found, comments, context in extract_from_dir(
        package,
        METHODS,
        keywords=KEYWORDS,
        directory_filter=lambda path: Path(path).name not in ("vendor", "__pycache__"),
    ):
        template.add(found, locations=[(file, line)], auto_comments=comments, context=context)
    for context, found, file in _codes_of_web() if package == WEB else _codes_of_notifications():
        template.add(found, locations=[(file, 0)], context=context)
    return tuple(message for message in template if message.id)


def write(code: str, catalogue: Catalog, package: Path = WEB) -> None:
    """Store a catalogue; no line of it depends on the moment."""
    path = _file(code, package)
    with path.open("wb") as file:
        write_po(file, catalogue, width=0)
    header, _, rest = path.read_text("utf-8").partition("\n\n")
    kept = (line for line in header.split("\n") if line[0] != '"' or line[1:].startswith(KEPT_HEADERS))
    path.write_text("\n".join(kept) + "\n\n" + rest, "utf-8")


def _file(code: str, package: Path) -> Path:
    return package / "translations" / code / "LC_MESSAGES" / "messages.po"


def _codes_of_web() -> Iterator[tuple[str, str, str]]:
    """Yield (context, code, file) for each code that people read."""
    for codes in (*READ_BY_CARRIERS, *READ_BY_STAFF):
        for code in codes:
            yield codes.__name__, code.value, CODES_OF_CARRIERS if codes in READ_BY_CARRIERS else CODES
    for name in ("period", "flag"):
        yield "figures.dimension", name, CODES
    for table in ("open_data", "connected", *(one.code for one in menu())):
        yield "figures.table", table, CODES
    for measure in ("signals", "share.attempts", "share.regions", "share.outcomes", "share.course"):
        yield "figures.measure", measure, CODES
    for side in (side for table in menu() for side in table.dimensions):
        yield "figures.dimension", side.name, CODES
        named = [code for code in side.codes if code not in reference.ggd_regions()]
        yield from ((words.context_of(side.name, code), code, CODES) for code in named)


def _codes_of_notifications() -> Iterator[tuple[str, str, str]]:
    return ((Event.__name__, event.value, CODES) for event in Event)


def _is_read_in(language: str, message: Message) -> bool:
    files = {file for file, _line in message.locations}
    if language == SOURCE:
        return not files.isdisjoint((CODES, CODES_OF_CARRIERS))
    return language == OF_STAFF or CODES_OF_CARRIERS in files or _is_of_carriers(message)


def _is_of_carriers(message: Message) -> bool:
    return any(
        file.startswith(OF_CARRIERS) and not file.startswith(NOT_OF_CARRIERS)
        for file, _line in message.locations
    )


if __name__ == "__main__":
    main()
