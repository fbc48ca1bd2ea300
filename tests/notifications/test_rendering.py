"""Templates: complete in both languages, and silent about everything but a date and a link."""

import json
import re
from html.parser import HTMLParser

import pytest
from jinja2 import Environment, meta

from notifications.events import DATES, DEPUTY_PAGE, LANGUAGES, TO_SYSTEMS, Event, is_for_deputy
from notifications.rendering import TEMPLATES, Rendered, in_words, render
from notifications.retry import PermanentFailure
from tests.notifications.building import LINK

SENT = [event for event in Event if event not in TO_SYSTEMS]
EVERY = [(event, language) for event in SENT for language in LANGUAGES]
SAID = {"nl": "woensdag 25 november 2026", "en": "Wednesday 25 November 2026"}


HEAD = json.dumps(
    {"position": 9, "link": "ab" * 32, "at": "2026-11-25T03:17:00+00:00", "signature": "A" * 86 + "=="}
)


def values_of(event: Event) -> dict[str, str]:
    head = {"head": HEAD} if event is Event.TRAIL_HEAD else {}
    return {"link": LINK, DATES[event]: "2026-11-25"} | head


def rendered(event: Event, language: str) -> Rendered:
    return render(event, language, values_of(event))


def parts(message: Rendered) -> list[str]:
    return [message.subject, message.text, message.html, message.short]


class _Words(HTMLParser):
    """The words that a reader of the HTML sees, and the links."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


def read(html: str) -> _Words:
    words = _Words()
    words.feed(html)
    return words


@pytest.mark.parametrize(("event", "language"), EVERY)
def test_templates_ask_for_the_values_of_their_event_only(event: Event, language: str) -> None:
    environment = Environment(autoescape=True)
    environment.filters["in_words"] = in_words
    environment.tests["for_deputy"] = is_for_deputy
    asked: set[str] = set()
    for ending in ("txt", "sms.txt"):
        source = (TEMPLATES / language / f"{event}.{ending}").read_text("utf-8")
        asked |= meta.find_undeclared_variables(environment.parse(source))
    assert asked == {*values_of(event), "language"}


@pytest.mark.parametrize("head", ["Dorpsstraat 1", HEAD[:-1] + ', "note": "1012 AB"}', HEAD + "1012 AB"])
def test_a_head_has_no_room_for_anything_else(head: str) -> None:
    with pytest.raises(PermanentFailure):
        render(Event.TRAIL_HEAD, "nl", values_of(Event.TRAIL_HEAD) | {"head": head})


@pytest.mark.parametrize(("event", "language"), EVERY)
def test_a_message_tells_the_date_in_words_and_the_link_in_every_form(event: Event, language: str) -> None:
    message = rendered(event, language)
    for body in (message.text, message.html, message.short):
        assert SAID[language] in body
        assert LINK in body


ASKED_OF_DEPUTIES = [event for event in SENT if "for_deputy" in (TEMPLATES / f"nl/{event}.txt").read_text()]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("event", ASKED_OF_DEPUTIES)
def test_a_deputy_is_not_sent_to_a_page_that_asks_to_sign_in(event: Event, language: str) -> None:
    link = f"https://signalen.example{DEPUTY_PAGE}0f3c1e0a-0000-4000-8000-000000000000"
    message = render(event, language, {"link": link, DATES[event]: "2026-11-25"})
    seen = " ".join(" ".join(read(message.html).words).split())
    for line in message.text.replace(link, "").splitlines():
        assert line.rstrip(":") in seen
    said = {"nl": ("Bel de teamleider of het team.", "U moet"), "en": ("Call the team lead", "You need to")}
    assert said[language][0] in message.text
    assert said[language][1] not in message.text + message.html
    assert read(message.html).links == [link]


@pytest.mark.parametrize(("event", "language"), EVERY)
def test_no_digits_appear_but_those_of_the_date(event: Event, language: str) -> None:
    message = rendered(event, language)
    for words in (message.subject, message.text, " ".join(read(message.html).words), message.short):
        assert not re.search(r"\d", words.replace(SAID[language], "").replace(HEAD, ""))


@pytest.mark.parametrize(("event", "language"), EVERY)
def test_html_says_what_the_text_says(event: Event, language: str) -> None:
    message = rendered(event, language)
    seen = " ".join(" ".join(read(message.html).words).split())
    for line in message.text.replace(LINK, "").splitlines():
        assert line.rstrip(":") in seen


@pytest.mark.parametrize(("event", "language"), EVERY)
def test_no_message_names_a_carrier_or_what_was_seen(event: Event, language: str) -> None:
    told = " ".join(parts(rendered(event, language))).casefold()
    for word in (
        "bezorger",
        "postnl",
        "carrier",
        "eenzaam",
        "lonely",
        "straat",
        "street",
        "postcode",
        "adres",
    ):
        assert word not in told


@pytest.mark.parametrize(("event", "language"), EVERY)
def test_a_text_message_fits_into_one_or_two_plain_segments(event: Event, language: str) -> None:
    short = rendered(event, language).short
    assert short.isascii()  # all of it is in the GSM alphabet: 153 characters in each of several segments
    assert len(short) <= 2 * 153
    assert "\n" not in short


@pytest.mark.parametrize(
    ("event", "language", "values"),
    [
        ("new_signal", "nl", {"link": LINK}),
        ("new_signal", "nl", {"link": LINK, "claim_by": "morgen"}),
        ("new_signal", "de", {"link": LINK, "claim_by": "2026-11-25"}),
        ("party", "nl", {"link": LINK, "claim_by": "2026-11-25"}),
        ("new_signal", "nl", {"link": LINK, "claim_by": "2026-11-25", "address": "1234 AB 12"}),
    ],
)
def test_a_message_that_cannot_be_rendered_is_a_permanent_failure(
    event: str, language: str, values: dict[str, str]
) -> None:
    with pytest.raises(PermanentFailure, match="unrenderable"):
        render(event, language, values)


def test_a_link_cannot_break_out_of_the_html() -> None:
    tricky = 'https://signalen.example/"><b>'
    html = render("reminder", "nl", {"link": tricky, "due_on": "2026-11-25"}).html
    assert "<b>" not in html
    assert read(html).links == [tricky]


@pytest.mark.parametrize(
    ("day", "language", "words"),
    [
        ("2026-01-01", "nl", "donderdag 1 januari 2026"),
        ("2028-02-29", "en", "Tuesday 29 February 2028"),
        ("2026-12-31", "nl", "donderdag 31 december 2026"),
    ],
)
def test_a_date_is_said_as_people_say_it(day: str, language: str, words: str) -> None:
    assert in_words(day, language) == words
