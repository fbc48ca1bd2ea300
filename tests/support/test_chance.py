"""What tests leave out before they look for a short word: nothing somebody wrote goes with it."""

import secrets
import uuid

import pytest

from tests.support.chance import without_chance


@pytest.mark.parametrize(
    "written", ["1012 AB", "postcode=1012AB", '"house_number": 4711', "/m#pc=1012AB&hn=12", "zei: kom"]
)
def test_the_filter_keeps_written_text(written: str) -> None:
    assert without_chance(f"{uuid.uuid4()} {written} 20:18:30.101212Z").startswith(f" {written} 20:18:30Z")


def test_the_filter_removes_ids_tokens_ports_and_fractions_that_could_hold_a_short_word() -> None:
    made = [str(uuid.uuid4()), secrets.token_hex(32), secrets.token_urlsafe(90)]
    made += ["http://127.0.0.1:41012/m", "2026-11-27T20:18:30.101212+00:00"]
    assert without_chance(" ".join(made)).split() == ["http://127.0.0.1/m", "2026-11-27T20:18:30+00:00"]
