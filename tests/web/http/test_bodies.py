"""The strict readers of JSON and of forms: what they accept, and how they refuse the rest."""

import json
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask, Request
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.test import EnvironBuilder

from signals.web.http.bodies import (
    MAX_FORM_FIELDS,
    MalformedForm,
    MalformedJson,
    parse_form,
    parse_object,
    read_bytes,
    read_json,
)

CLEAN = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)
LEAVES = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | CLEAN


@given(st.dictionaries(CLEAN, LEAVES | st.lists(LEAVES, max_size=3), max_size=5))
def test_a_clean_object_is_read_as_it_was_written(value: dict[str, Any]) -> None:
    assert parse_object(json.dumps(value).encode()) == value
    assert parse_object(json.dumps(value, ensure_ascii=False).encode()) == value


@given(body=st.binary(max_size=200))
def test_any_bytes_are_an_object_or_malformed(body: bytes) -> None:
    try:
        value = parse_object(body)
    except MalformedJson:
        return  # and any other exception fails the test
    assert value == json.loads(body)


@given(name=CLEAN, first=LEAVES, second=LEAVES)
def test_a_name_given_twice_is_refused(name: str, first: Any, second: Any) -> None:
    written = json.dumps(name)
    body = f"{{{written}: {json.dumps(first)}, {written}: {json.dumps(second)}}}"
    with pytest.raises(MalformedJson):
        parse_object(body.encode())


@given(depth=st.integers(6, 500))
def test_the_parser_refuses_json_that_is_nested_too_deep(depth: int) -> None:
    with pytest.raises(MalformedJson):
        parse_object(b'{"a":' * depth + b"1" + b"}" * depth)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed"),
        (b"{", "malformed"),
        (b"{} {}", "malformed"),
        (b'{"a": 1, "a": 1}', "malformed"),
        (b'{"o": {"a": 1, "a": 2}}', "malformed"),
        (b'{"a": NaN}', "malformed"),
        (b'{"a": -Infinity}', "malformed"),
        (b'{"a": "\xff"}', "malformed"),
        (b'{"a": "\x00"}', "malformed"),
        (b'{"a": "\\u0000"}', "control_characters"),
        (b'{"\\u0007": 1}', "control_characters"),
        (b'{"a": ["\\ud800"]}', "control_characters"),
        (b"[]", "wrong_type"),
        (b'"text"', "wrong_type"),
        (b"null", "wrong_type"),
        (b"[" * 100_000, "malformed"),
        (b'{"a":' * 100_000, "malformed"),
    ],
)
def test_json_that_is_no_plain_object_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(MalformedJson) as refusal:
        parse_object(body)
    assert refusal.value.problems[0].code == code


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"note": "\\u0007"}', "note"),
        (b'{"concern_types": ["\\u0007"]}', "concern_types"),
        (b'{"Kalverstraat 1": "\\u0007"}', ""),
        (b'{"note\\u0007": 1}', ""),
    ],
)
def test_a_control_character_is_refused_by_the_field_it_stands_in(body: bytes, field: str) -> None:
    with pytest.raises(MalformedJson) as refusal:
        parse_object(body)
    assert refusal.value.problems[0].field == field


def test_a_refusal_does_not_repeat_what_was_sent() -> None:
    with pytest.raises(MalformedJson) as refusal:
        parse_object(b'{"postcode": "1012AB", }')
    assert "1012" not in repr(refusal.value) + str(refusal.value)
    assert refusal.value.__cause__ is None


@given(st.lists(st.tuples(CLEAN.filter(bool), CLEAN), max_size=10))
def test_a_form_is_read_as_a_browser_wrote_it(pairs: list[tuple[str, str]]) -> None:
    assert parse_form(urlencode(pairs).encode()) == pairs


def test_empty_and_repeated_fields_are_kept_in_order() -> None:
    assert parse_form(b"a=1&b=&a=2") == [("a", "1"), ("b", ""), ("a", "2")]


def test_line_ends_of_a_form_are_counted_once() -> None:
    assert parse_form(b"note=a%0D%0Ab") == [("note", "a\nb")]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"a=%FF", "malformed"),
        (b"\xff=1", "malformed"),
        (b"a=%00", "control_characters"),
        (b"a%07=1", "control_characters"),
        (b"&".join(b"a=1" for _ in range(MAX_FORM_FIELDS + 1)), "malformed"),
    ],
)
def test_a_form_that_no_browser_sends_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(MalformedForm) as refusal:
        parse_form(body)
    assert refusal.value.problems[0].code == code


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_json_that_is_packed_or_not_utf8_is_an_unsupported_media_type(headers: dict[str, str]) -> None:
    request = Request(EnvironBuilder(method="POST", data=b"{}", headers=headers).get_environ())
    with pytest.raises(UnsupportedMediaType):
        read_json(request, 100)


@pytest.mark.parametrize("terminated", [True, False])
def test_a_stream_without_a_length_is_read_to_the_limit_and_no_further(terminated: bool) -> None:
    sent = BytesIO(b"{" + b" " * 200)
    environ = EnvironBuilder(method="POST", content_type="application/json").get_environ()
    environ.pop("CONTENT_LENGTH", None)
    environ |= {"wsgi.input": sent, "HTTP_TRANSFER_ENCODING": "chunked"}
    if terminated:
        environ["wsgi.input_terminated"] = True
    request = Flask("test").request_class(environ)
    if not terminated:
        assert read_bytes(request, 100) == b""  # of such a server nothing may be read: it could wait for ever
        return
    with pytest.raises(RequestEntityTooLarge):
        read_bytes(request, 100)
    assert sent.tell() == 101
