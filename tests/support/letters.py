"""A letter and its sender."""

import io
from datetime import date

from pypdf import PdfReader
from sqlalchemy import update
from sqlalchemy.orm import Session

from signals.models import Organisation
from signals.vocabulary import Profession
from signals.web.desk.letters.making import Letter, Sender
from tests.support.desk_side import Desk

SENDER = Sender(
    name="Voorbeeld Welzijn Amsterdam",
    phone="020 123 45 67",
    email="post@example.org",
    officer="fg@example.org",
    legal_basis="Wmo 2015, artikel 2.1.1",
    privacy="https://deurpost.example/privacy",
)


LETTER = Letter(
    sender=SENDER,
    reference="7KQ2-4MXW",
    address=("Lindekade 12-A", "1012 AB Amsterdam"),
    on=date(2026, 11, 24),
    profession=Profession.CARRIER,
    concluded=28,
    unattended=14,
    hard_limit=365,
)


def write_on_own_paper(desk: Desk) -> None:
    """Give every organisation lines for its letterhead, and a logo."""
    logo = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 30"><path d="M0 0h9v9z"/></svg>'
    with Session(desk.engine) as session, session.begin():
        session.execute(update(Organisation).values(letterhead="Dam 1\n1012 AB Amsterdam", logo=logo))


def is_on_own_paper(made: bytes) -> bool:
    """Say whether the first page of a PDF begins with that letterhead and shows that logo."""
    return text_of(made).split("\n")[1:3] == ["Dam 1", "1012 AB Amsterdam"] and b"/Figure" in made


def text_of(made: bytes) -> str:
    """Return the text of a PDF."""
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages)


def said(data: object) -> str:
    """Every text of a template's data."""
    if isinstance(data, dict):
        return "\n".join(said(value) for value in data.values())
    if isinstance(data, list | tuple):
        return "\n".join(said(value) for value in data)
    return str(data)
