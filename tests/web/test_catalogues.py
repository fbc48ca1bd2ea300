"""The catalogues have each text of the code, in each language that reads it, and nothing else."""

import importlib
import pkgutil
import re
from collections import defaultdict
from enum import StrEnum
from pathlib import Path
from types import ModuleType

import pytest

import notifications
import privacy
import signals
from notifications.events import Event
from signals.errors import SignalsError
from signals.vocabulary import LANGUAGES, STAFF_LANGUAGES, ConcernType
from signals.web.http import staff_answers
from signals.web.http.messages import DETAILS, TITLES
from tools import texts

PACKAGES = ("signals", "notifications", "privacy")
CATALOGUES = [
    pytest.param(package, code, id=f"{package.name}-{code}")
    for package in texts.PACKAGES
    for code in texts.languages(package)
]
FOR_PROGRAMS = {
    "AddressDoubt", "ApprovalAction", "ChangeKind", "ClearReports", "Environment", "FindingKind", "Flag",
    "MessageState", "Next", "Opens", "PeriodKind", "ProcessRole", "Question", "ReceiptState", "Security",
    "SheetSize", "Source", "Step", "Wish",
}  # fmt: skip
"""Codes that no page shows, or for which a template has a sentence each."""
OF_COMMANDS = {
    "clock_apart",
    "purge_incomplete",
    "settings",
    "setup_refused",
    "keys_unusable",
    "no_journal",
    "no_ledger",
    "forged_figures",
    "directory_refused",
}
"""Refusals that end a command or a start, with a sentence of their own; no request meets them."""


def test_each_language_has_a_catalogue() -> None:
    assert texts.languages() == sorted(LANGUAGES)
    assert texts.languages(texts.NOTIFICATIONS) == sorted(STAFF_LANGUAGES)


@pytest.mark.parametrize(("package", "code"), CATALOGUES)
def test_a_catalogue_has_each_text_of_its_readers_and_nothing_else(package: Path, code: str) -> None:
    """`make texts` adds and removes; a person then fills in the empty translations."""
    known = {(one.id, one.context) for one in texts.read(code, package) if one.id}
    assert known == {(one.id, one.context) for one in texts.wanted(code, package)}


@pytest.mark.parametrize(("package", "code"), CATALOGUES)
def test_each_text_is_translated(package: Path, code: str) -> None:
    catalogue = texts.read(code, package)
    strings = {one.id: one.string if one.pluralizable else (one.string,) for one in catalogue if one.id}
    assert [id_ for id_, forms in strings.items() if not all(forms)] == []
    assert [one.id for one in catalogue if one.id and one.fuzzy] == []
    assert [
        one.id for one in catalogue if one.pluralizable and len(one.string) != catalogue.num_plurals
    ] == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_translation_fills_in_what_the_text_fills_in(code: str) -> None:
    for one in texts.read(code):
        if one.id and one.python_format:
            expected, *forms = (_places(text) for text in (one.id, one.string))
            assert forms == [expected], one.id


def test_no_sentence_of_one_language_was_left_in_another() -> None:
    said = defaultdict(set)
    for code in LANGUAGES:
        for one in texts.read(code):
            if isinstance(one.string, str) and len(one.string) > 25:
                said[one.string].add(code)
    assert {sentence: codes for sentence, codes in said.items() if len(codes) > 1} == {}


def test_in_arabic_text_from_left_to_right_stands_isolated() -> None:
    """Unicode, annex 9: without isolates `1012 AB` shows as `AB 1012` in a line from right to left."""
    arabic = texts.read("ar")
    postcode = arabic["A postcode is four digits and two letters, like 1012 AB."]
    assert "\u20661012 AB\u2069" in postcode.string
    assert "\u20662026-11-24\u2069" in arabic["This must be a date, like 2026-11-24."].string


def test_each_refusal_has_a_title_and_a_next_step() -> None:
    _import_all(signals)
    codes = {kind.code for kind in _all_below(SignalsError)} - OF_COMMANDS
    assert codes <= {*TITLES, *staff_answers.TITLES}
    assert codes <= {*DETAILS, *staff_answers.DETAILS}


@pytest.mark.parametrize("code", ConcernType)
def test_each_concern_type_has_an_icon(code: ConcernType) -> None:
    assert (texts.WEB / "static" / "icons" / f"{code}.svg").is_file()


def test_each_enum_is_for_people_or_for_programs() -> None:
    """A new enum that people read goes into tools/texts.py: then the catalogues must have its codes."""
    for package in (signals, notifications, privacy):
        _import_all(package)
    found = {each for each in StrEnum.__subclasses__() if each.__module__.split(".")[0] in PACKAGES}
    assert {
        each.__name__ for each in found - {*texts.READ_BY_CARRIERS, *texts.READ_BY_STAFF, Event}
    } == FOR_PROGRAMS


def _import_all(package: ModuleType) -> None:
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def _places(text: str | tuple[str, ...]) -> set[str]:
    """Return the names in `%(name)s`; of a plural, those of all its forms."""
    return set(re.findall(r"%\((\w+)\)", " ".join((text,) if isinstance(text, str) else text)))


def _all_below(kind: type[SignalsError]) -> set[type[SignalsError]]:
    below = set(kind.__subclasses__())
    return below | {deeper for one in below for deeper in _all_below(one)}
