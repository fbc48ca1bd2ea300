"""The sentence beside a field that is not right: always what to do, in words of that field."""

from collections.abc import Mapping
from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from signals.web.http.messages import field_message
from signals.web.http.staff_answers import FIELDS
from signals.web.staff_kit.typed import sent_label

ASKED: Final[Mapping[str, LazyString]] = {
    "area": FIELDS["unknown_area"],
    "attempted_time": _("This was another day: give the time too, like 14:30."),
    "away_from": _("Choose the first day of the absence."),
    "away_until": _("Choose the last day of the absence."),
    "base_percent": _("Give a whole number from 1 to 98."),
    "contact_by": _("Choose how you made contact."),
    "cover_id": _("Choose a colleague, or nobody."),
    "days": _("Give a number of days, like 28."),
    "deferred_because": _("Choose why the resident was not told yet."),
    "earlier_id": _("Choose the signal that goes on."),
    "email": FIELDS["not_an_address"],
    "ends_on": _("Choose the last day on which is drawn."),
    "entry": _("Load the page again, and choose the line once more."),
    "ethics_reference": _("Give the number of the review, or who judged that none is needed."),
    "file": _("Choose a file."),
    "house_number": _("Give the house number, like 12."),
    "identity": _("Choose how you know who it is."),
    "ids": _("Tick one signal at least."),
    "kind": _("Choose one of these."),
    "label": _("Give it a name that you recognise, like: phone of work."),
    "language": _("Choose a language."),
    "legal_basis": _("Name the law and the article."),
    "name": _("Fill in the name, in at most 120 characters."),
    "newly_known": _("Choose yes or no."),
    "notified_by": _("Choose how the resident was told."),
    "number_from": _("Give a house number from 1 to 99999."),
    "number_to": _("Give a house number from 1 to 99999."),
    "organisation_id": _("Choose an organisation."),
    "outcome": _("Choose how it ended."),
    "password": _("Fill in your password."),
    "phone": FIELDS["not_a_mobile_number"],
    "postcode": _("Give the postcode, like 1012 AB."),
    "postponed_until": _("Choose the day of the next attempt."),
    "question": _("Write the question that the comparison answers."),
    "reason": _("Choose a reason."),
    "reference": _("Fill in the reference, like 7KQ2-4MXW."),
    "referred_to": _("Choose where the signal went."),
    "residence": _("Choose how you know that they live there."),
    "result": _("Choose how it went."),
    "right": _("Choose the reason for erasing."),
    "role": _("Choose a role."),
    "rule": _("Choose a period."),
    "signal_id": _("Choose a signal."),
    "target_percent": _("Give a higher number than the one beside it, at most 99."),
    "text": _("Write something first."),
    "third_parties": _("Tick this once you took out what is about others."),
    "to_staff_id": _("Choose a colleague."),
    "totp": _("Fill in the six digits that your app shows now."),
    "urgent": _("Choose yes or no."),
    "valid_until": _("Choose a day after the first one, or none."),
    "workers": _("Choose one or two."),
}
"""The sentence of a field that is empty, or whose value is none of those that it takes."""

_NOTHING_USABLE: Final = frozenset(
    {"required", "not_a_choice", "unknown", "wrong_type", "invalid", "invalid_value", "out_of_range"}
    | {"not_a_uuid"}
)
_OF_CODE: Final[Mapping[str, LazyString]] = {
    "in_future": _("This day lies ahead. Choose today or an earlier day."),
    "before_receipt": _("Choose the day on which the signal came in, or a later one."),
    "not_a_date": _("Give a day, like 24-11-2026."),
    "too_long": _("This is too long. Make it shorter."),
    "control_characters": _("This holds signs that nobody can read. Type it again."),
    "cannot_receive": _("This organisation cannot receive signals now. Choose another one."),
    "exactly_one": _("Choose one of the two: that it was told, or why not yet."),
    "not_with_this_outcome": _("Leave this out: it does not go with the outcome that you chose."),
    "too_few_attempts": _(
        "Your team asks for more attempts, in more than one way. Try once more, or choose another reason."
    ),
    "letterhead_bounds": _("At most four lines, each of at most 60 characters. Shorten them."),
    "letter_words_bounds": _("At most 300 characters. Shorten it: a letter is one sheet."),
    "picture_too_large": _("The file is larger than 200 KB. Save the logo smaller and choose it again."),
    "picture_unknown": _(
        "This file is no SVG or PNG, or it is damaged. Save the logo as PNG and choose it again."
    ),
    "picture_size": _(
        "The logo must be 16 to 2000 pixels wide and high, and one side at most ten times the other."
    ),
    "picture_unsafe": _(
        "This SVG holds more than shapes: text, styles, pictures or scripts. Save the logo as PNG."
    ),
    "not_a_time": _("Give a time like 14:30."),
    "no_agreed_day": _("Fill in which day you agreed on, then choose once more how it went."),
}


def words_of(field: str, code: str) -> str:
    """Return the sentence about a field of a page, in the reader's language."""
    if code in _NOTHING_USABLE:
        own = ASKED.get(field) or FIELDS.get(f"{field}_bounds")
        return str(own or _("Fill in: %(field)s.", field=sent_label(field) or field))
    return str(_OF_CODE.get(code) or field_message(code))
