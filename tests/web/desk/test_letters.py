"""Test the letter of article 14 AVG and the card in eight languages, and their audit entries."""

import re
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from signals.models import Organisation, Signal
from signals.vocabulary import LANGUAGES, AuditAction
from signals.web.desk.letters.making import Letter, card_data, card_pdf, notice_data, notice_pdf
from signals.web.labels import catalogue
from tests.support.desk_side import Desk
from tests.support.letters import LETTER, SENDER, said
from tests.support.pages import Browser, words


@pytest.fixture
def signal_id(desk: Desk) -> UUID:
    return desk.arrive(concern_types=["frail"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_letter_gives_everything_that_article_14_requires(language: str) -> None:
    data = notice_data(LETTER, language)
    text = said(data)
    for part in (
        SENDER.name,
        SENDER.phone,
        SENDER.email,
        f"{catalogue(language).gettext('Data protection officer')}\n{SENDER.officer}",
        f"{catalogue(language).gettext('Privacy')}\n{SENDER.privacy}",
        SENDER.legal_basis,
        LETTER.reference,
        *LETTER.address,
    ):
        assert part in text
    parts = [(len(part["items"]), bool(part["text"])) for part in data["sections"]]
    assert parts == [(3, False), (0, True), (0, False), (5, False), (0, True), (0, True), (4, True)]
    periods = ("28", "14", "365", "12", "730", "24")
    assert [days for days in periods if not re.search(rf"\b{days}\b", text)] == []
    assert "duration" not in text
    assert not re.search(r"%\(|\{", text)


def test_the_letter_is_one_sheet_and_the_card_has_the_size_of_a_postcard() -> None:
    assert b"<xmpTPg:NPages>1</xmpTPg:NPages>" in notice_pdf(LETTER, "nl")
    assert re.search(rb"/MediaBox ?\[0 0 297\.6\d* 419\.5\d*\]", card_pdf(SENDER, "nl"))


def test_an_administrators_text_is_never_read_as_markup() -> None:
    odd = replace(SENDER, name='#set page(paper: "a0") $x$ *vet* `code`')
    assert card_pdf(odd, "nl").startswith(b"%PDF-")
    assert b"<xmpTPg:NPages>1</xmpTPg:NPages>" in card_pdf(odd, "nl")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_card_names_the_organisation_and_nobody_and_leaves_room_to_write(language: str) -> None:
    data, letter = card_data(SENDER, language), notice_data(LETTER, language)
    assert data["blanks"][1] == (letter["reference"][0], "")
    assert SENDER.name in said(data)
    assert letter["lead"][0] not in said(data)


def test_the_letter_names_the_organisation_and_the_signal(
    desk: Desk, signal_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters: list[Letter] = []

    def keep(letter: Letter, _language: str) -> bytes:
        letters.append(letter)
        return b"%PDF-"

    monkeypatch.setattr("signals.web.desk.letters.printing.notice_pdf", keep)
    with Session(desk.engine) as session, session.begin():
        signal = session.get_one(Signal, signal_id)
        organisation = session.get_one(Organisation, signal.organisation_id)
        organisation.contact_phone, organisation.contact_email = "020 555 01 23", "welzijn@example.org"
        reference, basis = signal.reference, organisation.legal_basis
    desk.call("anna", "GET", f"/signals/{signal_id}/notice.pdf")
    (letter,) = letters
    assert (letter.reference, letter.address, letter.on) == (reference, ("1012 AB 12",), date(2026, 11, 24))
    assert (letter.sender.phone, letter.sender.email) == ("020 555 01 23", "welzijn@example.org")
    assert letter.sender.legal_basis == basis
    assert letter.sender.officer == "fleur@example.org"
    assert letter.sender.privacy.endswith("/privacy")
    assert (letter.concluded, letter.unattended, letter.hard_limit) == (28, 28, 365)


def test_a_printed_letter_asks_whether_it_was_delivered_until_that_is_noted(
    desk: Desk, signal_id: UUID
) -> None:
    anna = Browser(desk, "anna")
    assert "De brief is afgedrukt" not in words(anna.get(f"/desk/signals/{signal_id}"))
    anna.get(f"/desk/signals/{signal_id}/notice.pdf")
    desk.clock.moment += timedelta(days=1)
    page = Browser(desk, "bram").get(f"/desk/signals/{signal_id}")
    assert "De brief is afgedrukt op di 24 nov 2026. Is hij bezorgd?" in words(page)
    assert 'name="notified_on" value="2026-11-24"' in page.text
    assert 'name="notified_on" value="2026-11-25"' in page.text
    Browser(desk, "bram").send(signal_id, "notice", notified_on="2026-11-24")
    assert "De brief is afgedrukt" not in words(Browser(desk, "anna").get(f"/desk/signals/{signal_id}"))


def test_no_letter_without_an_audit_entry(
    desk: Desk, signal_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("the audit is away")

    monkeypatch.setattr("signals.audit.log.AuditLog.record_many", away)
    desk.app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = desk.call("anna", "GET", f"/signals/{signal_id}/notice.pdf")
    assert answer.status_code == 500
    assert b"%PDF" not in answer.data


@pytest.mark.parametrize("query", ["language=fr", "language=", "language=nl&page=2"])
def test_a_language_that_there_is_not_is_refused_and_leaves_no_entry(
    desk: Desk, signal_id: UUID, query: str
) -> None:
    assert desk.call("anna", "GET", f"/signals/{signal_id}/notice.pdf?{query}").status_code == 400
    assert desk.entries(AuditAction.NOTICE_PRINTED) == []


def test_a_letter_about_a_foreign_signal_is_refused_like_one_that_never_was(
    desk: Desk, signal_id: UUID
) -> None:
    for found in (signal_id, uuid4()):
        assert desk.call("gerda", "GET", f"/signals/{found}/notice.pdf").status_code == 404
    refused = desk.entries(AuditAction.FOREIGN_SIGNAL_REFUSED)
    assert sorted(entry.outcome for entry in refused) == ["foreign", "unknown"]


def test_no_letter_is_printed_while_the_resident_has_its_use_restricted(desk: Desk, signal_id: UUID) -> None:
    with Session(desk.engine) as session, session.begin():
        session.get_one(Signal, signal_id).restricted_on = date(2026, 11, 24)
    assert desk.call("anna", "GET", f"/signals/{signal_id}/notice.pdf").status_code == 409
    assert desk.entries(AuditAction.NOTICE_PRINTED) == []
