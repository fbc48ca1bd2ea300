"""Beside a field that is not right stands what to do, in words of that field."""

from collections.abc import Iterator

import pytest

from signals.web.http.messages import FIELDS
from signals.web.staff_kit.field_words import ASKED, words_of
from signals.web.staff_kit.forms import Form
from tests.support.desk_side import Desk
from tests.support.pages import words

GENERIC = {str(FIELDS[code]) for code in ("required", "invalid_value", "wrong_type", "not_a_choice")}


def _forms(kind: type[Form]) -> Iterator[type[Form]]:
    for one in kind.__subclasses__():
        yield one
        yield from _forms(one)


def test_every_field_that_must_be_filled_in_has_a_sentence_of_its_own(desk: Desk) -> None:
    asked = {
        name
        for form in _forms(Form)
        if form.__module__.startswith("signals.")
        for name, field in form().fields.items()
        if field.required
    }
    assert len(asked) > 20
    with desk.app.test_request_context(headers={"Accept-Language": "en"}):
        said = {name: words_of(name, "required") for name in asked}
    assert {name: text for name, text in said.items() if text == f"Fill in: {name}."} == {}


@pytest.mark.parametrize(
    "code", ["required", "not_a_choice", "wrong_type", "invalid_value", "in_future", "too_long"]
)
def test_no_page_says_only_that_something_is_not_right(desk: Desk, code: str) -> None:
    with desk.app.test_request_context(headers={"Accept-Language": "en"}):
        assert not {words_of(field, code) for field in (*ASKED, "other")} & GENERIC


def test_an_empty_form_says_what_each_field_wants(desk: Desk) -> None:
    page = words(desk.app.test_client().post("/desk/sign-in", data={}, headers={"Accept-Language": "nl"}))
    for sentence in ("Vul een e-mailadres in", "Vul uw wachtwoord in.", "Vul de zes cijfers in"):
        assert sentence in page
    assert "Vul dit in" not in page
