"""Speak OpenID Connect with the provider of an organisation; Authlib writes requests and checks claims.

Nothing here knows the database. Each call ends after seconds, follows no redirect, and goes to https only
(http to this machine itself, for tests).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from requests import RequestException

from notifications.tls import trusting_adapter
from signals.clock import Clock
from signals.errors import SignalsError
from signals.models import IdentityProvider
from signals.staff.providers import callback_of, is_safe

SECONDS: Final = 5.0
LEEWAY: Final = 120
"""So many seconds the clocks of both sides may differ."""
KEPT: Final = timedelta(hours=1)
RENEWED: Final = timedelta(seconds=30)
"""How long a description is kept, and how soon it is read again for a key that it lacks."""
_ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384"]
_CALLED: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")
_LOGOUT: Final = "http://schemas.openid.net/event/backchannel-logout"


class ProviderUnavailable(SignalsError):
    """The provider does not answer, or not as it describes itself."""

    code = "provider_unavailable"
    status = 503


class ProviderRefused(SignalsError):
    """The provider refused, or its answer proves nothing."""

    code = "provider_refused"
    status = 401


class ClocksApart(ProviderRefused):
    """The clock of the provider and that of this service differ by minutes."""

    code = "clocks_apart"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A person as the provider states them; `methods` are the values of `amr` and `acr`."""

    subject: str
    sid: str | None
    email: str
    unverified: bool
    methods: frozenset[str]
    proved_at: datetime | None
    refresh_token: str = field(repr=False)


class Directory:
    """The descriptions and keys of providers, kept for an hour."""

    def __init__(self, clock: Clock, ca_file: Path | None) -> None:
        self.clock, self.ca_file = clock, ca_file
        self._kept: dict[str, tuple[datetime, Mapping[str, Any]]] = {}

    def describe(self, issuer: str) -> Mapping[str, Any]:
        """Return what a provider says of itself. Raises `ProviderRefused` when it names another issuer."""
        found = self._read(f"{issuer.rstrip('/')}/.well-known/openid-configuration", KEPT)
        if found.get("issuer") != issuer:
            raise ProviderRefused
        named = [str(found[name]) for name in _CALLED if name in found]
        if issuer.startswith("https:") and not all(url.startswith("https:") for url in named):
            raise ProviderRefused  # no provider elsewhere leads to a service of this machine
        return found

    def states_issuer(self, issuer: str) -> bool:
        """Tell whether a provider names itself at the return (RFC 9207)."""
        with _provider():
            return self.describe(issuer).get("authorization_response_iss_parameter_supported") is True

    def keys(self, url: str, *, renew: bool) -> KeySet:
        """Return the public keys at an address; `renew`: unless they were read just now."""
        return KeySet.import_key_set(dict(self._read(url, RENEWED if renew else KEPT)))  # type: ignore[arg-type]

    def session(self, **options: Any) -> OAuth2Session:
        """Return a client with short limits that trusts the authorities of the settings."""
        session = OAuth2Session(default_timeout=SECONDS, max_redirects=0, **options)
        if self.ca_file is not None:
            session.mount("https://", trusting_adapter(self.ca_file))
        return session

    def _read(self, url: str, lasts: timedelta) -> Mapping[str, Any]:
        now = self.clock.now()
        at, found = self._kept.get(url, (None, {}))
        if at is None or not timedelta() <= now - at < lasts:
            answer = self.session().get(safe(url), withhold_token=True)
            answer.raise_for_status()
            found = answer.json()
            self._kept[url] = now, found
        return found


@dataclass(frozen=True, kw_only=True)
class Client:
    """This service as a client of one provider."""

    directory: Directory
    issuer: str
    client_id: str
    secret: str = field(repr=False)
    redirect_uri: str

    def authorization_url(self, *, state: str, nonce: str, verifier: str, again: bool) -> str:
        """Return where people prove who they are; `again`: also those whom the provider knows already."""
        with _provider():
            about = self.directory.describe(self.issuer)
            scopes = ["openid", "email", "offline_access"]
            known = about.get("scopes_supported") or scopes
            url, _state = self._session(about).create_authorization_url(
                safe(about["authorization_endpoint"]),
                state=state,
                nonce=nonce,
                code_verifier=verifier,
                redirect_uri=self.redirect_uri,
                scope=" ".join(one for one in scopes if one in known),
                **({"prompt": "login", "max_age": "0"} if again else {}),
            )
        return str(url)

    def identify(self, *, code: str, verifier: str, nonce: str) -> Identity:
        """Return the person for a code. Raises `ProviderRefused`, for a replayed code too."""
        with _provider():
            about = self.directory.describe(self.issuer)
            session = self._session(about)
            tokens = session.fetch_token(
                safe(about["token_endpoint"]),
                grant_type="authorization_code",
                code=code,
                code_verifier=verifier,
                redirect_uri=self.redirect_uri,
            )
            claims = self._checked(about, tokens["id_token"], nonce=nonce, access=tokens["access_token"])
            if "email" not in claims and "userinfo_endpoint" in about:
                stated = session.get(safe(about["userinfo_endpoint"])).json()
                claims = {**stated, **claims} if stated.get("sub") == claims["sub"] else claims
        return _identity(claims, str(tokens.get("refresh_token") or ""))

    def refresh(self, token: str, *, subject: str) -> str:
        """Return the next refresh token of somebody; `ProviderRefused` when the provider ended it."""
        with _provider():
            about = self.directory.describe(self.issuer)
            tokens = self._session(about).refresh_token(safe(about["token_endpoint"]), refresh_token=token)
            if "id_token" in tokens and self._checked(about, tokens["id_token"])["sub"] != subject:
                raise ProviderRefused
        return str(tokens.get("refresh_token") or token)

    def read_logout(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a logout token (Back-Channel Logout 1.0, 2.6). Raises `ProviderRefused`."""
        with _provider():
            found = self._decoded(self.directory.describe(self.issuer), token)
            claims, wanted = found.claims, {"essential": True}
            mine = {"essential": True, "value": self.client_id}
            issuer = {"essential": True, "value": self.issuer}
            registry = jwt.JWTClaimsRegistry(
                self._now(),
                LEEWAY,
                iss=issuer,  # type: ignore[arg-type]
                aud=mine,  # type: ignore[arg-type]
                jti=wanted,  # type: ignore[arg-type]
                iat=wanted,  # type: ignore[arg-type]
            )
            registry.validate(claims)
        self._refuse_old(claims)
        events = claims.get("events")
        if not isinstance(events, dict) or not isinstance(events.get(_LOGOUT), dict) or "nonce" in claims:
            raise ProviderRefused
        if not claims.get("sid") and not claims.get("sub"):
            raise ProviderRefused
        return claims

    def end_session_url(self, back: str) -> str:
        """Return where people sign out at the provider, with no word of who they are; empty without one."""
        with _provider():
            about = self.directory.describe(self.issuer)
            if "end_session_endpoint" not in about:
                return ""
            asked = urlencode({"client_id": self.client_id, "post_logout_redirect_uri": back})
            url = safe(about["end_session_endpoint"])
        return f"{url}{'&' if urlsplit(url).query else '?'}{asked}"

    def _session(self, about: Mapping[str, Any]) -> OAuth2Session:
        methods = about.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        basic = "client_secret_basic" in methods
        return self.directory.session(
            client_id=self.client_id,
            client_secret=self.secret,
            token_endpoint_auth_method="client_secret_basic" if basic else "client_secret_post",
            code_challenge_method="S256",
        )

    def _checked(
        self, about: Mapping[str, Any], token: str, *, nonce: str = "", access: str = ""
    ) -> dict[str, Any]:
        found = self._decoded(about, token)
        claims = CodeIDToken(
            found.claims,
            found.header,
            {
                "iss": {"essential": True, "value": self.issuer},
                "aud": {"essential": True, "value": self.client_id},
            },
            {"client_id": self.client_id, "nonce": nonce, "access_token": access},
        )
        self._refuse_old(claims)
        claims.validate(now=self._now(), leeway=LEEWAY)
        return dict(claims)

    def _decoded(self, about: Mapping[str, Any], token: str) -> jwt.Token:
        """Check the signature; a key that is not known yet can be a new one of the provider."""
        url = safe(about["jwks_uri"])
        try:
            return jwt.decode(token, self.directory.keys(url, renew=False), algorithms=_ALGORITHMS)
        except JoseError:
            return jwt.decode(token, self.directory.keys(url, renew=True), algorithms=_ALGORITHMS)

    def _refuse_old(self, claims: Mapping[str, Any]) -> None:
        issued = claims.get("iat")
        if not isinstance(issued, int | float) or abs(self._now() - issued) > LEEWAY:
            raise ClocksApart

    def _now(self) -> int:
        return int(self.directory.clock.now().timestamp())


def client_of(provider: IdentityProvider, directory: Directory, *, folder: Path, site: str) -> Client:
    """Return this service as a client of a provider. Raises `ProviderUnavailable` without its secret."""
    try:
        secret = (folder / provider.secret_file).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        raise ProviderUnavailable from None
    return Client(
        directory=directory,
        issuer=provider.issuer,
        client_id=provider.client_id,
        secret=secret,
        redirect_uri=callback_of(provider.organisation_id, site),
    )


def safe(url: str) -> str:
    """Return an address to which a secret may go. Raises `ProviderRefused` for any other."""
    if not is_safe(url):
        raise ProviderRefused
    return url


@contextmanager
def _provider() -> Iterator[None]:
    """Turn what the libraries raise into the two cases that matter here, without the provider's words."""
    try:
        yield
    except JoseError:
        raise ProviderRefused from None
    except AuthlibBaseError as error:  # other codes say that our own set-up is wrong
        raise (ProviderRefused if error.error == "invalid_grant" else ProviderUnavailable) from None
    except (RequestException, KeyError, ValueError, TypeError, AttributeError):
        raise ProviderUnavailable from None


def _identity(person: Mapping[str, Any], refresh_token: str) -> Identity:
    proved = person.get("auth_time")
    return Identity(
        subject=str(person["sub"]),
        sid=str(person["sid"]) if person.get("sid") else None,
        email=str(person.get("email") or ""),
        unverified=person.get("email_verified") is False,
        methods=frozenset(map(str, [*(person.get("amr") or ()), person.get("acr") or ""])),
        proved_at=datetime.fromtimestamp(proved, UTC) if proved else None,
        refresh_token=refresh_token,
    )
