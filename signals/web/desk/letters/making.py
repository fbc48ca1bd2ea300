"""Set the letter of article 14 AVG and the card as PDF/UA-1, in the language of the resident."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from babel.dates import format_date

from signals.vocabulary import Profession
from signals.web.http.i18n import direction
from signals.web.labels import catalogue, mark, sender, text
from signals.web.pdf import compile_pdf
from signals.web.staff_kit.labels import in_days, kept_after_deletion
from signals.web.staff_kit.pdf import LETTERS, Head, head_data

Translate = Callable[[str], str]


@dataclass(frozen=True, kw_only=True)
class Sender(Head):
    """Describe an organisation as a resident reaches it; `legal_basis` is in Dutch, as recorded.

    `officer`: the e-mail address of its privacy officer, empty where it has none. `words`: its own words, in
    Dutch. `privacy`: the web address of the privacy statement.
    """

    phone: str
    email: str
    officer: str
    legal_basis: str
    words: str = ""
    privacy: str = ""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """Hold the content of one letter; `concluded`, `unattended` and `hard_limit` are days."""

    sender: Sender
    reference: str
    address: Sequence[str] = field(repr=False)
    on: date
    profession: Profession | None
    concluded: int
    unattended: int
    hard_limit: int


def notice_pdf(letter: Letter, language: str) -> bytes:
    """Return the letter: who has which data, why, on which ground, for how long, from whom, and the rights.

    Art. 14(1) and (2) AVG. It names only the kind of what was noticed, because others open letters too.
    """
    return compile_pdf(LETTERS / "notice.typ", notice_data(letter, language))


def card_pdf(sender: Sender, language: str, address: Sequence[str] = (), reference: str = "") -> bytes:
    """Return the card for the letter box, A6; without a reference a worker writes it on the card."""
    return compile_pdf(LETTERS / "card.typ", card_data(sender, language, address, reference))


def notice_data(letter: Letter, language: str) -> dict[str, Any]:
    """Return the values for the template of the letter."""
    _: Translate = catalogue(language).gettext
    officer = letter.sender.officer
    return {
        **_common(letter.sender, language),
        "title": _("We would like to talk to you"),
        "to": _("To the resident of"),
        "address": list(letter.address),
        "reference": (_("Reference"), letter.reference),
        "date": (_("Date"), format_date(letter.on, "long", locale=language)),
        "lead": [
            _(
                "Somebody was worried about a resident of this address and passed this on to us. We would"
                " like to ask how you are and whether you need anything."
            ),
            _("You do not have to talk to us. You have done nothing wrong."),
        ],
        "officer": (_("Data protection officer"), officer) if officer else None,
        "privacy": (_("Privacy"), letter.sender.privacy),
        "keep_reference": _("Give the reference when you call or write. Then we can help you at once."),
        "sections": [
            *_purposes(letter.sender, _),
            _section(_("For how long"), items=_periods(letter, language)),
            *_others_and_rights(_, _who_told(letter, language)),
        ],
    }


def card_data(
    sender: Sender, language: str, address: Sequence[str] = (), reference: str = ""
) -> dict[str, Any]:
    """Return the values for the template of the card."""
    _: Translate = catalogue(language).gettext
    return {
        **_common(sender, language),
        "title": _("We were at your door"),
        "text": [
            _("We would have liked to talk to you."),
            _("Will you call or e-mail us? We are glad to come back another time."),
            _("You do not have to."),
        ],
        "to": [_("To the resident of"), *address] if address else [],
        "blanks": [(_("We were here on"), ""), (_("Reference"), reference)],
    }


def _common(sender: Sender, language: str) -> dict[str, Any]:
    _: Translate = catalogue(language).gettext
    reach = [(_("Telephone"), sender.phone), (_("E-mail"), sender.email)]
    return {
        **head_data(sender),
        "language": language,
        "rtl": direction(language) == "rtl",
        "words": sender.words,
        "contact": _("How to reach us"),
        "reach": [(what, value) for what, value in reach if value],
    }


def _section(title: str, *, text: str = "", items: Sequence[str] = (), dutch: str = "") -> dict[str, Any]:
    return {"title": title, "items": list(items), "text": text, "dutch": dutch}


def _purposes(sender: Sender, _: Translate) -> list[dict[str, Any]]:
    ask = "" if sender.legal_basis else _("Ask us on which ground in the law we do this.")
    return [
        _section(
            _("What we keep"),
            items=[
                _("This address."),
                _("What was noticed. This may say something about your health."),
                _("When and how we tried to reach you, and our notes about it."),
            ],
        ),
        _section(_("Why"), text=_("To find out whether somebody needs help, and to offer that help.")),
        _section(_("Why we may do this"), text=ask, dutch=sender.legal_basis),
    ]


def _periods(letter: Letter, language: str) -> list[str]:
    _: Translate = catalogue(language).gettext
    concluded, unattended, hard_limit = (
        {"days": in_days(days, language)} for days in (letter.concluded, letter.unattended, letter.hard_limit)
    )
    return [
        _("Until %(days)s after we have finished. Then we delete the report.") % concluded,
        _("If nobody acts on the report and you heard nothing: until %(days)s after we received it.")
        % unattended,
        _("In any case never longer than %(days)s after we received it.") % hard_limit,
        *kept_after_deletion(language),
    ]


def _who_told(letter: Letter, language: str) -> str:
    who, unknown = sender(letter.profession, language), text(mark("We do not know who."), language)
    return f"{who[:1].upper()}{who[1:]}. {unknown}"


def _others_and_rights(_: Translate, who_told: str) -> list[dict[str, Any]]:
    return [
        _section(_("Who told us"), text=who_told),
        _section(
            _("Who else receives it"),
            text=_(
                "Only the people who work on it, and the manager of our system. If another organisation can"
                " help you better, we may hand the report over to them. No decision about you is made"
                " automatically."
            ),
        ),
        _section(
            _("Your rights"),
            items=[
                _("You may see what we keep about you."),
                _("You may have it corrected or deleted."),
                _("You may ask us not to use it for a while."),
                _("You may object."),
            ],
            text=_(
                "Ask us, or ask for our data protection officer. Do you disagree with us? Then you can"
                " complain to the Dutch data protection authority: autoriteitpersoonsgegevens.nl."
            ),
        ),
    ]
