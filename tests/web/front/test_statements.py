"""The pages about being seen, privacy and accessibility."""

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from signals.settings import Settings
from signals.vocabulary import LANGUAGES
from tests.support.installations import MakeApp


def test_every_language_says_who_can_see_the_carrier(client: FlaskClient) -> None:
    pages = {code: client.get(f"/gezien?lang={code}").text.partition("<h1>")[2] for code in LANGUAGES}
    assert len({page.partition("</h1>")[0] for page in pages.values()}) == len(LANGUAGES)
    assert "Iemand die uw ronde kent, kan het raden." in pages["nl"]
    assert "De bewoner kan uw soort werk horen, nooit een naam." in pages["nl"]


@pytest.mark.parametrize("path", ["/privacy", "/toegankelijkheid"])
def test_a_statement_is_dutch_or_english_and_says_which(client: FlaskClient, path: str) -> None:
    assert '<div lang="en"' not in client.get(f"{path}?lang=nl").text
    arabic = client.get(f"{path}?lang=ar").text
    assert '<div lang="en" dir="ltr">' in arabic
    assert "mailto:" not in arabic


def test_a_statement_names_whom_to_write_to(front_settings: Settings, make_app: MakeApp) -> None:
    scheme = replace(front_settings.scheme, contact_email="vragen@example.org")
    page = make_app(replace(front_settings, scheme=scheme)).test_client().get("/toegankelijkheid").text
    assert 'href="mailto:vragen@example.org"' in page
