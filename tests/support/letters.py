"""A letter and its sender."""

from datetime import date

from signals.vocabulary import Profession
from signals.web.desk.letters.making import Letter, Sender

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


def said(data: object) -> str:
    """Every text of a template's data."""
    if isinstance(data, dict):
        return "\n".join(said(value) for value in data.values())
    if isinstance(data, list | tuple):
        return "\n".join(said(value) for value in data)
    return str(data)
