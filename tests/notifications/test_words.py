"""Each failure and each event has words; the words of a failure end with its code."""

import pytest

from notifications.channels.email import AUTHENTICATION_CODES
from notifications.channels.sms import PERMANENT_CODES, TEMPORARY_CODES, THROTTLED_CODES
from notifications.events import Event
from notifications.retry import DOUBTFUL
from notifications.words import event_words, explain

LANGUAGES = ("nl", "en")
OURS = (
    "smtp_connection",
    "smtp_disconnected",
    "smtp_sign_in",
    "smtp_tls",
    "smtp_not_supported",
    "smtp_450",
    "smtp_sender",
)
CODES = [
    *OURS,
    *(f"smtp_{code}" for code in AUTHENTICATION_CODES),
    *("smtp_454", "smtp_554", "bad_address", "folder_not_writable", "twilio_connection", "twilio_503"),
    *(f"twilio_{code}" for code in PERMANENT_CODES | TEMPORARY_CODES | THROTTLED_CODES),
    *DOUBTFUL,
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", CODES)
def test_each_failure_of_a_channel_has_words_and_keeps_its_code(code: str, language: str) -> None:
    unknown = explain(None, language)
    found = explain(code, language)
    assert found.says.endswith(f" ({code})")
    assert unknown.says not in found.says
    assert found.fix != unknown.fix


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_event_has_words_of_its_own(language: str) -> None:
    assert len({event_words(event, language) for event in Event}) == len(Event)
