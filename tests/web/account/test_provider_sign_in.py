"""Test signing in at the provider of an organisation, with the certified `oidc-provider` as the peer."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from signals.models import AccountLink, StaffMember
from signals.vocabulary import AuditAction, Role
from tests.support.desk_side import PASSWORD
from tests.support.identity_provider import Visitor, onward, question
from tests.support.pages import hidden_value
from tests.support.provider_site import Site

pytestmark = pytest.mark.slow


def test_the_first_sign_in_binds_the_account_and_a_later_one_needs_no_address(site: Site) -> None:
    assert onward(site.visitor.sign_in()) == "/desk"
    assert site.visitor.is_in
    bound = site.member()
    assert (bound.identity_issuer, bound.identity_subject) == (site.provider.issuer, "anna")
    site.provider.account("anna", email="a.voorbeeld@elsewhere.example", role="administrator")
    again = Visitor(site.url)
    again.sign_in()
    assert again.is_in
    assert site.member().role is Role.WORKER
    assert [entry.ground for entry in site.desk.entries(AuditAction.SIGN_IN)] == ["provider", "provider"]


def test_the_request_carries_pkce_state_and_nonce_and_no_address(site: Site) -> None:
    asked = question(site.visitor.begin())
    assert asked["code_challenge_method"] == "S256"
    assert asked["response_type"] == "code"
    assert len(asked["code_challenge"]) == 43
    assert len(asked["nonce"]) == 43
    assert asked["state"]
    assert "example.org" not in str(asked)


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "nobody@example.org"},
        {"email": "anna@elsewhere.example"},
        {"email": "gerda@example.org"},
        {"email_verified": False},
        {"email": ""},
    ],
)
def test_only_the_invited_member_with_an_address_of_the_domain_comes_in(
    site: Site, claims: dict[str, object]
) -> None:
    site.provider.account("anna", **claims)
    refused = site.visitor.sign_in()
    assert refused.status_code == 401
    assert not site.visitor.is_in
    assert site.member().identity_subject is None


def test_another_account_at_the_provider_cannot_take_a_bound_address(site: Site) -> None:
    site.visitor.sign_in()
    site.provider.account("mallory", email="anna@example.org", email_verified=True, amr=["mfa"])
    other = Visitor(site.url)
    assert other.sign_in("mallory").status_code == 401
    assert site.member().identity_subject == "anna"


def test_without_a_stated_second_factor_the_own_one_is_asked(site: Site) -> None:
    site.provider.account("anna", amr=["pwd"])
    page = site.visitor.sign_in()
    assert not site.visitor.is_in
    form = {name: hidden_value(page.text, name) for name in ("proved", "next")}
    assert site.visitor.post("/desk/provider/code", **form, totp="000000").status_code == 400
    assert not site.visitor.is_in
    assert site.member().identity_subject is None
    right = site.visitor.post("/desk/provider/code", **form, totp=site.desk.code("anna"))
    assert right.status_code == 200
    assert site.visitor.is_in


def test_somebody_invited_comes_in_by_a_stated_second_factor_only(site: Site) -> None:
    with site.desk.begin() as operation:
        anna = operation.session.get_one(StaffMember, site.member().id)
        anna.totp_last_step = -1
    site.provider.account("anna", amr=["pwd"])
    assert "Stel eerst uw account in" in site.visitor.sign_in().text
    site.provider.account("anna", amr=["mfa"])
    other = Visitor(site.url)
    other.sign_in()
    assert other.is_in
    assert not site.member().invited


def test_a_bound_account_has_no_other_way_in(site: Site) -> None:
    local = Visitor(site.url)
    form = {"email": "anna@example.org", "password": PASSWORD}
    local.post("/desk/sign-in", **form, totp=site.desk.code("anna"))
    assert local.is_in
    with site.desk.begin() as operation:
        mailed = AccountLink(
            purpose="recovery",
            staff_member_id=site.member().id,
            token_hash=b"x" * 32,
            expires_at=operation.now + timedelta(days=1),
        )
        operation.session.add(mailed)
    site.visitor.sign_in()
    assert site.visitor.is_in
    assert not local.is_in
    with site.desk.begin() as operation:
        assert operation.session.scalars(select(AccountLink)).all() == []
    other = Visitor(site.url)
    assert other.post("/desk/sign-in", **form, totp=site.desk.code("anna")).status_code == 401
    assert not other.is_in


def test_a_change_of_the_account_needs_a_proof_that_is_young(site: Site) -> None:
    site.visitor.sign_in()
    site.move(minutes=11)
    own = site.visitor.get("/desk/account")
    form = {"csrf_token": hidden_value(own.text, "csrf_token"), "totp": "000000"}
    assert site.visitor.post("/desk/account/authenticator", **form).headers["Location"].endswith("/confirm")
    confirm = site.visitor.get("/desk/account/confirm")
    assert 'name="again" value="1"' in confirm.text
    site.move(minutes=-11)  # the provider has the machine's clock
    assert question(site.visitor.begin(again="1"))["prompt"] == "login"


def test_an_address_of_another_domain_is_told_so(site: Site) -> None:
    answer = site.visitor.post("/desk/provider/start", email="anna@nowhere.example")
    assert answer.status_code == 404
    assert "Voor dit adres" in answer.text


def test_a_session_of_the_provider_changes_an_account_after_a_new_proof_only(site: Site) -> None:
    """The provider may know somebody for hours: its word opens a session, and proves nothing anew."""
    site.visitor.sign_in()
    page = site.visitor.get("/desk/account").text
    form = {"csrf_token": hidden_value(page, "csrf_token"), "totp": "000000"}
    assert site.visitor.post("/desk/account/authenticator", **form).headers["Location"].endswith("/confirm")
    site.visitor.sign_in(again="1")
    page = site.visitor.get("/desk/account").text
    form = {"csrf_token": hidden_value(page, "csrf_token"), "totp": "000000"}
    assert site.visitor.post("/desk/account/authenticator", **form).status_code == 400  # the code is wrong
