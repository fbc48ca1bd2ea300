"""The answers to refusals: one sentence for each code, which says how to fix it.

No sentence repeats what somebody typed. `staff_answers` holds the codes that only staff meet.
"""

from flask_babel import LazyString, gettext
from flask_babel import lazy_gettext as _

from signals.web.http import staff_answers

TITLES: dict[str, LazyString] = {
    "invalid": _("Something in the form is not right yet"),
    "not_found": _("Not found"),
    "idempotency_key_reused": _("This key was used for another report"),
    "mailbox_key_expired": _("This report was sealed for another week or receiver"),
    "area_full": _("Too many reports for this area today"),
    "unproven_full": _("Too many reports without proof for this area now"),
    "token_refused": _("This token is not accepted"),
    "token_request_refused": _("This token request is not right"),
    "enrolment_refused": _("This code of a depot does not work"),
    "no_more_tokens": _("No more tokens today"),
    "notes_disabled": _("A note cannot be sent here"),
    "clear_report_refused": _("Only sealed reports are accepted here"),
    "no_mailbox_key": _("Sending is not possible for a moment"),
    "unavailable": _("Not available for a moment"),
    "internal": _("Something went wrong on our side"),
    "malformed_json": _("This is not valid JSON"),
    "unsupported_media_type": _("Send this as application/json"),
    "too_large": _("This is too large"),
    "method_not_allowed": _("This cannot be done here"),
}

DETAILS: dict[str, LazyString] = {
    "invalid": _("Mend the fields that are named below and send it again."),
    "not_found": _("There is nothing at this address, or it is not yours to see."),
    "idempotency_key_reused": _("Make a new Idempotency-Key for a new report."),
    "mailbox_key_expired": _("Look up the keys again, seal the report anew and send it."),
    "area_full": _("Nothing is lost: send it again later."),
    "unproven_full": _(
        "Do you work as a carrier? Ask your depot for the code. Nothing is lost: send it again later."
    ),
    "token_refused": _("Nothing is lost: send the report with another token, or without one."),
    "token_request_refused": _("Read the issuer's directory again and ask with the key of this week."),
    "enrolment_refused": _("Ask your depot for the new code."),
    "no_more_tokens": _("Nothing is lost: ask again tomorrow."),
    "notes_disabled": _("Leave the note out and send it again."),
    "clear_report_refused": _("Send it with a recent browser that has JavaScript on: that seals the report."),
    "no_mailbox_key": _("Nothing is lost: send it again in a few minutes."),
    "unavailable": _("Nothing was changed. Try again in a minute."),
    "internal": _("Nothing was changed. Try again; if it stays, pass on the number under 'instance'."),
    "malformed_json": _("Send one JSON object, each name once, without control characters."),
    "unsupported_media_type": _("Set the header Content-Type: application/json."),
    "too_large": _("A report fits in 4 KiB."),
    "method_not_allowed": _("Look in the documentation at /docs for what can be done here."),
}

FIELDS: dict[str, LazyString] = {
    "required": _("This is missing."),
    "unknown_field": _("This field does not exist here."),
    "wrong_type": _("This has the wrong form."),
    "malformed": _("This has the wrong form."),
    "postcode_malformed": _("A postcode is four digits and two letters, like 1012 AB."),
    "letters_not_issued": _("Postcodes with these letters do not exist."),
    "out_of_range": _("This lies outside what is possible."),
    "house_number": _("A house number is a whole number from 1 to 99999."),
    "too_long": _("This is too long."),
    "too_short": _("This is too short."),
    "too_many": _("These are too many."),
    "duplicate": _("This is given more than once."),
    "not_a_choice": _("This is not one of the choices."),
    "not_a_uuid": _("This must be a UUID."),
    "not_a_date": _("This must be a date, like 2026-11-24."),
    "in_the_future": _("This lies in the future."),
    "control_characters": _("Control characters are not allowed."),
    "invalid_value": _("This is not right."),
    "notes_disabled": _("A note cannot be sent here"),
    "clear_report_refused": _("Only sealed reports are accepted here"),
}


def title_of(code: str) -> str:
    """Return the title of a refusal in the reader's language."""
    return str(TITLES.get(code) or staff_answers.TITLES.get(code) or TITLES["internal"])


def detail_of(code: str) -> str:
    """Return the next step after a refusal in the reader's language, or nothing."""
    return str(DETAILS.get(code) or staff_answers.DETAILS.get(code) or "")


def field_message(code: str) -> str:
    """Return one sentence about a field in the reader's language."""
    return str(FIELDS.get(code) or staff_answers.FIELDS.get(code) or gettext("This is not right."))
