"""Use the carrier's pages as a browser without JavaScript does."""

import re
from collections.abc import Mapping
from html import unescape

from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select
from werkzeug.test import TestResponse

from signals.models import SealedReport

KEY = "5f0c8e1a-6f1e-4b7d-9a37-2f6f0d0f7a11"

GOOD: dict[str, object] = {"idempotency_key": KEY, "postcode": "1012 ab", "house_number": "12"}


def post(client: FlaskClient, data: Mapping[str, object], path: str = "/") -> TestResponse:
    """Post a form as a browser does: `data` holds texts, or lists for repeated fields."""
    return client.post(path, data=dict(data), headers={"Accept": "text/html", "User-Agent": "Sentinel/9"})


def text_of(response: TestResponse) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", response.text.split("<body>")[1])))


def value_of(response: TestResponse, name: str) -> str:
    tag = next(tag for tag in re.findall(r"<input[^>]*>", response.text) if f'name="{name}"' in tag)
    found = re.search(r'value="([^"]*)"', tag)
    assert found, name
    return unescape(found[1])


def receipt_of(response: TestResponse) -> str:
    found = re.search(r'class="receipt"[^>]*>([^<]+)<', response.text)
    assert found
    return found[1]


def stored(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(SealedReport)) or 0
