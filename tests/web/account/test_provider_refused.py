"""Test what a provider, or somebody between, must not get away with."""

from urllib.parse import urlencode

import pytest

from signals.clock import FixedClock
from signals.staff.challenges import ChallengeRefused
from signals.staff.openid import Client, Directory, ProviderRefused, ProviderUnavailable
from tests.support.identity_provider import Visitor, question
from tests.support.provider_site import Site

pytestmark = pytest.mark.slow


def _without(url: str, *names: str, **other: str) -> str:
    values = {name: value for name, value in question(url).items() if name not in names}
    return f"{url.partition('?')[0]}?{urlencode(values | other)}"


def test_a_return_counts_once(site: Site) -> None:
    back = site.visitor.prove(site.visitor.begin())
    begun = site.visitor.http.cookies["signals-begun"]
    assert site.visitor.land(back).status_code == 200
    site.visitor.http.cookies.clear()
    site.provider.stop()  # it is not even asked
    again = site.visitor.http.get(back, cookies={"signals-begun": begun}, timeout=30)
    assert again.status_code == ChallengeRefused.status
    assert not site.visitor.is_in


def test_a_replayed_code_opens_nothing_in_another_sign_in(site: Site) -> None:
    used = site.visitor.prove(site.visitor.begin())
    site.visitor.land(used)
    other = Visitor(site.url)
    fresh = other.prove(other.begin())
    refused = other.land(_without(fresh, code=question(used)["code"]))
    assert refused.status_code == 401
    assert not other.is_in


def test_a_return_counts_in_the_browser_that_began_only(site: Site) -> None:
    back = site.visitor.prove(site.visitor.begin())
    victim = Visitor(site.url)
    assert victim.land(back).status_code == 401
    victim.begin()
    assert victim.land(back).status_code == 401
    assert not victim.is_in


@pytest.mark.parametrize("other", [{"iss": "https://evil.example"}, {"iss": ""}, {"state": "x"}])
def test_a_return_of_another_provider_is_refused(site: Site, other: dict[str, str]) -> None:
    back = site.visitor.prove(site.visitor.begin())
    assert site.visitor.land(_without(back, *other, **other)).status_code == 401
    assert not site.visitor.is_in


def test_a_return_without_the_issuer_that_was_announced_is_refused(site: Site) -> None:
    back = site.visitor.prove(site.visitor.begin())
    assert site.visitor.land(_without(back, "iss")).status_code == 401
    assert not site.visitor.is_in


def test_a_return_to_the_address_of_another_team_is_refused(site: Site) -> None:
    back = site.visitor.prove(site.visitor.begin())
    mixed = back.replace(str(site.team), "00000000-0000-4000-8000-000000000001")
    assert site.visitor.land(mixed).status_code == 401
    assert not site.visitor.is_in


def test_a_description_that_names_another_issuer_is_refused(site: Site) -> None:
    site.change(issuer=site.provider.issuer.replace("127.0.0.1", "localhost"))
    refused = site.visitor.post("/desk/provider/start", email="anna@example.org")
    assert refused.status_code == 401
    assert 'http-equiv="refresh"' not in refused.text


def test_a_provider_without_https_gets_no_secret(site: Site) -> None:
    site.change(issuer="http://login.example.org")
    assert site.visitor.post("/desk/provider/start", email="anna@example.org").status_code == 401


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        ({"jwks_uri": "http://127.0.0.1:9/jwks"}, ProviderRefused),
        ({"token_endpoint": "http://localhost:9/token"}, ProviderRefused),
        ({"authorization_endpoint": 1}, ProviderRefused),
        ([], ProviderUnavailable),
        ("", ProviderUnavailable),
    ],
)
def test_a_provider_elsewhere_leads_to_no_service_of_this_machine(
    clock: FixedClock, answer: object, raised: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer = "https://login.example.org"
    good = {"issuer": issuer, "authorization_endpoint": f"{issuer}/auth"}
    told = good | answer if isinstance(answer, dict) else answer
    monkeypatch.setattr(Directory, "_read", lambda *_given: told)
    directory = Directory(clock, None)
    client = Client(directory=directory, issuer=issuer, client_id="x", secret="y", redirect_uri=issuer)
    with pytest.raises(raised):
        client.authorization_url(state="s", nonce="n", verifier="v" * 43, again=False)


@pytest.mark.parametrize("minutes", [5, -5])
def test_a_clock_that_is_five_minutes_off_is_told(site: Site, minutes: int) -> None:
    site.move(minutes=minutes)
    answer = site.visitor.sign_in()
    assert answer.status_code == 401
    assert "De klok van de aanmelding van uw organisatie loopt anders" in answer.text
    assert not site.visitor.is_in


def test_a_provider_that_does_not_answer_is_told_with_the_way_in_here(site: Site) -> None:
    site.provider.stop()
    answer = site.visitor.post("/desk/provider/start", email="anna@example.org")
    assert answer.status_code == 503
    assert "geeft geen antwoord" in answer.text
    assert "uitgeprinte code" in answer.text
    assert 'action="/desk/sign-in"' in answer.text


def test_a_missing_file_with_the_secret_is_told_like_a_provider_that_is_away(site: Site) -> None:
    site.change(secret_file="nothing.secret")
    assert site.visitor.post("/desk/provider/start", email="anna@example.org").status_code == 503


def test_new_keys_of_the_provider_are_read_when_they_are_met(site: Site) -> None:
    site.visitor.sign_in()
    site.provider.stop()
    site.provider.start()
    site.move(seconds=31)
    other = Visitor(site.url)
    other.sign_in()
    assert other.is_in
