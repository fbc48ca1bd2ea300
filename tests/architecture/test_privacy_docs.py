"""The privacy documents say what the software does: columns, periods, public words, tests, checks."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, Table

from notifications.figures import KEPT as MESSAGES_KEPT
from notifications.models import Base as Notifications
from privacy.keystore_schema import keystore_metadata
from signals.audit.trail import KEPT
from signals.intake.content import RETRY_DAYS
from signals.models import Base as Signals
from signals.notices.limit_notices import KEPT as FULL_DAYS_KEPT
from signals.operations.jobs import REFUSED_KEPT_DAYS
from signals.retention.expiry import RECEIPTS_KEPT_DAYS, RECORDS_KEPT_DAYS
from signals.retention.periods import DEFAULT_PERIODS
from signals.staff.absence import KEPT_DAYS as ABSENCES_KEPT_DAYS
from tests.support.privacy_docs import column_lines, described_columns

PROJECT = Path(__file__).resolve().parents[2]
PRIVACY = PROJECT / "docs/privacy"
NOBODY = "geen"
PEOPLE = {"bewoner", "medewerker", "bezorger"}
SEALED = {"sealed_reports.envelope", "signals.content", "signals.summary", "follow_up_notes.sealed_text"}
TRANSLATIONS = PROJECT / "signals/web/translations"
TEMPLATES = PROJECT / "signals/web/templates/front"

_CODE = re.compile(r"^\| ([A-Z]{2}-[A-Z]+) \|", re.MULTILINE)
_NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)((?:::\w+)*)`")


def _text(name: str) -> str:
    return (PRIVACY / name).read_text(encoding="utf-8")


def _tables() -> list[Table]:
    found = (Signals.metadata, Notifications.metadata, keystore_metadata)
    return [table for metadata in found for table in metadata.sorted_tables]


def _codes() -> set[str]:
    return set(_CODE.findall(_text("velden.md")))


def _tests_named_in(name: str) -> list[tuple[str, list[str]]]:
    return [(file, steps.split("::")[1:]) for file, steps in _NAMED_TEST.findall(_text(name))]


def _has(file: Path, steps: list[str]) -> bool:
    """Whether a test file has this function, or this class with this function."""
    nodes: list[ast.stmt] = ast.parse(file.read_text(encoding="utf-8")).body
    for step in steps:
        found = [
            node for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == step
        ]
        if not found:
            return False
        nodes = found[0].body
    return True


def test_every_column_of_every_database_is_described_and_no_other() -> None:
    columns = {f"{table.name}.{column.name}" for table in _tables() for column in table.columns}
    assert set(described_columns()) == columns


def test_no_column_is_described_twice() -> None:
    assert len(column_lines()) == len(described_columns())


def test_a_table_has_its_period_and_its_ground() -> None:
    for table in _tables():
        head = _text("velden.md").split(f"### {table.name}\n")[1].split("\n\n- ")[0]
        assert re.fullmatch(r"Bewaard: .+\.  \nGrond: .+\.", head, re.DOTALL), table.name


def test_personal_data_has_a_category_and_other_data_has_none() -> None:
    for column, (whose, codes, _how) in described_columns().items():
        assert whose in PEOPLE | {NOBODY}, column
        assert bool(codes) == (whose != NOBODY), column
        assert codes <= _codes(), column


@pytest.mark.parametrize("name", ["verwerkingsregister.md", "dpia.md"])
def test_register_and_assessment_name_every_category(name: str) -> None:
    assert {code for code in _codes() if not re.search(rf"\b{code}\b", _text(name))} == set()


def test_sealed_columns_hold_bytes_and_the_document_lists_every_column_that_must_be_sealed() -> None:
    types = {f"{table.name}.{column.name}": column.type for table in _tables() for column in table.columns}
    closed = {
        column for column, (_, _, how) in described_columns().items() if how in ("verzegeld", "ingepakt")
    }
    assert closed >= SEALED
    assert all(isinstance(types[column], LargeBinary) for column in closed)


def test_the_assessment_has_the_periods_of_the_code_with_their_grounds() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (.+) \|$", _text("dpia.md"), re.MULTILINE)
    told = {rule: (int(days), ground) for rule, days, ground in rows}
    assert told == {rule.value: (period.days, period.legal_basis) for rule, period in DEFAULT_PERIODS.items()}


@pytest.mark.parametrize(
    ("what", "days"),
    [
        ("herkennen van een herhaalde verzending", RETRY_DAYS),
        ("stand van een ontvangstcode, na de laatste wijziging", RECEIPTS_KEPT_DAYS),
        ("bewijs van verwijdering", RECORDS_KEPT_DAYS),
        ("inzagelogboek", KEPT.days),
        ("envelop die niet openging, en de sleutel van zijn week", REFUSED_KEPT_DAYS),
        (
            "berichten, na bezorging of opgeven (die over een signaal uiterlijk tot het wordt verwijderd)",
            MESSAGES_KEPT.days,
        ),
        ("afwezigheid, na de laatste dag", ABSENCES_KEPT_DAYS),
        ("dag waarop een daglimiet in zicht kwam", FULL_DAYS_KEPT.days),
    ],
)
def test_the_assessment_has_the_other_periods_of_the_code(what: str, days: int) -> None:
    assert f"| {what} | {days} |" in _text("dpia.md")


@pytest.mark.parametrize(
    ("table", "days"),
    [
        ("sealed_reports", REFUSED_KEPT_DAYS),
        ("outbox_messages", MESSAGES_KEPT.days),
        ("posted_letters", MESSAGES_KEPT.days),
        ("absences", ABSENCES_KEPT_DAYS),
        ("area_days", FULL_DAYS_KEPT.days),
    ],
)
def test_a_table_that_a_job_empties_says_after_how_many_days(table: str, days: int) -> None:
    kept = _text("velden.md").split(f"### {table}\n")[1].split("\nGrond:")[0]
    assert f"{days} dagen" in kept


def test_the_documents_name_the_expiry_of_a_report_that_waits_on_the_phone_of_a_carrier() -> None:
    """It is the one place where a report lies readable."""
    script = (PROJECT / "signals/web/static/front_queue.js").read_text(encoding="utf-8")
    days = re.search(r"const KEPT_FOR = (\d+) \* DAY;", script)
    assert days
    assert f"| melding die op de telefoon van de bezorger wacht | {days[1]} |" in _text("dpia.md")
    _, row = _text("velden.md").split("\n- **Telefoon van de bezorger, melding ")
    row = row.split("\n- ")[0]
    assert f"hoogstens {days[1]} dagen" in row
    assert {"BW-ADRES", "BW-WAARN"} <= set(re.findall(r"BW-\w+", row))


def test_the_register_and_the_list_have_the_periods_of_the_code() -> None:
    concluded, unattended, hard_limit = (period.days for period in DEFAULT_PERIODS.values())
    sentence = f"{concluded} dagen na afronding; {unattended} dagen als niemand"
    assert sentence in _text("verwerkingsregister.md")
    assert f"uiterlijk {hard_limit} dagen" in _text("verwerkingsregister.md")
    assert f"Standaard {concluded} dagen na afronding" in _text("velden.md")
    for days in (RETRY_DAYS, RECEIPTS_KEPT_DAYS, RECORDS_KEPT_DAYS, KEPT.days):
        assert f"Bewaard: {days} dagen" in _text("velden.md")


@pytest.mark.parametrize("name", ["promises.md", "dpia.md"])
def test_every_test_that_a_document_names_exists(name: str) -> None:
    named = _tests_named_in(name)
    assert len(named) > 10
    missing = [
        "::".join([file, *steps])
        for file, steps in named
        if not (PROJECT / file).is_file() or not _has(PROJECT / file, steps)
    ]
    assert missing == []


@pytest.mark.parametrize("name", ["promises.md", "dpia.md", "velden.md"])
def test_every_module_that_a_document_names_exists(name: str) -> None:
    named = re.findall(r"`((?:signals|privacy|notifications|docs)/[\w/]+(?:\.py|/))`", _text(name))
    assert [path for path in named if not (PROJECT / path).exists()] == []


def test_each_of_the_six_promises_has_mechanism_limit_and_attack() -> None:
    promises = re.split(r"^## ", _text("promises.md"), flags=re.MULTILINE)[1:7]
    assert [promise[0] for promise in promises] == list("123456")
    for promise in promises:
        for part in ("**Mechanism.**", "**Limit.**", "**Attacks.**"):
            assert part in promise, promise[:40]
        assert _NAMED_TEST.search(promise), promise[:40]


def test_the_public_words_of_the_promises_are_on_the_pages() -> None:
    said = re.findall(r'"([^"]+)" / "([^"]+)"', _text("promises.md"))
    assert said
    templates = "".join(path.read_text(encoding="utf-8") for path in TEMPLATES.rglob("*.html"))
    catalogue = (TRANSLATIONS / "nl/LC_MESSAGES/messages.po").read_text(encoding="utf-8")
    for dutch, english in said:
        assert english in templates
        assert f'msgid "{english}"\nmsgstr "{dutch}"' in catalogue


def test_the_pages_never_call_a_carrier_anonymous() -> None:
    catalogues = sorted(TRANSLATIONS.rglob("messages.po"))
    pages = [*sorted(TEMPLATES.rglob("*.html")), *catalogues]
    assert len(catalogues) > 1
    found = [
        path.name
        for path in pages
        if re.search("anon[iy]m|анон", path.read_text(encoding="utf-8"), re.IGNORECASE)
    ]
    assert found == []


def test_operations_explains_every_line_of_the_doctor() -> None:
    sources = [PROJECT / "signals/cli" / name for name in ("doctor.py", "database_findings.py")]
    lines = {
        check for source in sources for check in re.findall(r'check="([\w ]+)"', source.read_text("utf-8"))
    }
    assert {"database", "keystore", "waiting reports"} <= lines
    explained = set(
        re.findall(
            r"^\| ([\w ]+) \|", (PROJECT / "docs/operations.md").read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    assert lines - explained == set()
