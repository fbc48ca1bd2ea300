"""Twilio's real client against mock servers: one of our own description, one of Twilio's where it is here."""

from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from notifications.channels.sms import SmsChannel, TwilioAccount
from notifications.retry import PermanentFailure
from tests.notifications.building import outgoing
from tests.support.prism import OWN, PUBLISHED, mock_server

pytestmark = pytest.mark.slow

DESCRIPTIONS = [pytest.param(path, id=path.stem) for path in (OWN, PUBLISHED) if path.is_file()]
NUMBER = "+31612345678"


@pytest.fixture(scope="module", params=DESCRIPTIONS)
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    description: Path = request.param
    with mock_server(description) as address:
        yield address


@pytest.fixture
def channel(address: str) -> Iterator[SmsChannel]:
    channel = channel_to(address)
    yield channel
    channel.close()


def channel_to(address: str) -> SmsChannel:
    account = TwilioAccount(
        account_sid="AC" + "0" * 31 + "1",
        auth_token="geheim",
        messaging_service_sid="MG" + "0" * 31 + "1",
        status_callback="https://signalen.example/notifications/twilio/status",
        api_url=address,
    )
    return SmsChannel(account=account)


def test_the_request_of_the_channel_matches_twilios_description(channel: SmsChannel) -> None:
    assert channel.send(outgoing(recipient=NUMBER)).provider_message_id.startswith(("SM", "MM"))


def test_the_credentials_are_checked_without_sending(channel: SmsChannel) -> None:
    channel.check()


def test_the_mock_refuses_what_its_description_does_not_allow(address: str) -> None:
    """Otherwise the two above would pass whatever the channel sent."""
    path = f"{address}/2010-04-01/Accounts/niet-een-rekening/Messages.json"
    request = Request(path, data=b"Body=hallo", method="POST")
    with pytest.raises(OSError, match=r"4\d\d"):
        urlopen(request, timeout=10)


def test_a_number_that_is_none_is_refused_for_good() -> None:
    with mock_server(OWN) as address:
        channel = channel_to(address)
        with pytest.raises(PermanentFailure, match="twilio_21211"):
            channel.send(outgoing(recipient="niemand"))
        channel.close()
