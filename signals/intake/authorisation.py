"""Trust issuers, check a token that came with a report, and say what it proves.

Only public keys are here. The transaction that stores the report spends the token (`signals.intake.storage`).
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from privacy.sealing import week_start
from privacy.tokens import TOKEN_TYPE, Token, TokenKey, TokenRefused, challenge
from signals.clock import AMSTERDAM
from signals.errors import SignalsError, TokenNotAccepted
from signals.vocabulary import Profession

GRACE: Final = timedelta(weeks=1)
"""A token counts in its own week and in the next one: a report may wait without network."""

log = get_logger(__name__)


class DirectoryRefused(SignalsError):
    """This is no directory of an issuer with a key of RSA 2048 for each week."""

    code = "directory_refused"


@dataclass(frozen=True, kw_only=True)
class Proof:
    """The proof in a token; the product keeps the hash of its nonce and nothing else."""

    nonce_hash: bytes = field(repr=False)
    week: date
    profession: Profession


class Prover(Protocol):
    """A source of proofs for tokens."""

    def proof(self, token: bytes, on: date) -> Proof:
        """Return what a token proves on a day; raise `TokenNotAccepted`, whatever the reason."""
        ...


@dataclass(frozen=True, kw_only=True)
class TrustedIssuer:
    """An issuer by its directory: web address, name, profession, limits for a phone, and keys by week."""

    url: str
    name: str
    profession: Profession
    per_day: int
    stock: int
    keys: tuple[tuple[date, TokenKey], ...]


def read_directory(url: str, directory: Mapping[str, Any]) -> TrustedIssuer:
    """Return the issuer that a directory describes; raise `DirectoryRefused`.

    Two keys for one week are refused: with a key for each code, an issuer could tell the codes apart.
    """
    try:
        keys = tuple(_keys_in(directory))
        return TrustedIssuer(
            url=url.rstrip("/"),
            name=str(directory["name"])[:80],
            profession=Profession(directory["profession"]),
            per_day=int(directory["tokens-per-day"]),
            stock=int(directory["stock"]),
            keys=keys,
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError):
        raise DirectoryRefused from None


def _keys_in(directory: Mapping[str, Any]) -> Iterator[tuple[date, TokenKey]]:
    weeks: set[date] = set()
    for entry in directory["token-keys"]:
        if entry["token-type"] != TOKEN_TYPE:
            continue
        week = datetime.fromtimestamp(entry["not-before"], AMSTERDAM).date()
        if week in weeks or week != week_start(week):
            raise ValueError
        weeks.add(week)
        yield week, TokenKey(encoded=urlsafe_b64decode(entry["token-key"]))


@dataclass(frozen=True, kw_only=True)
class _Key:
    week: date
    profession: Profession
    challenge_digest: bytes
    public_key: RSAPublicKey


@dataclass(frozen=True, kw_only=True)
class _Known:
    """Everything that was read, and what shows that it may have changed."""

    state: object
    issuers: tuple[TrustedIssuer, ...] = ()
    keys: Mapping[bytes, _Key] = field(default_factory=dict, repr=False)


@dataclass
class TrustedIssuers:
    """The issuers in a file, as one process knows them; it reads the file again when that changes.

    `origin`: the server name of this service. `own`: (web address, directory) of an issuer in this process.
    """

    file: Path
    origin: str
    own: Callable[[], tuple[str, Mapping[str, Any]]] | None = None
    _known: _Known = field(default_factory=lambda: _Known(state=None), repr=False)

    def proof(self, token: bytes, on: date) -> Proof:
        """Return what a token proves on a day; raise `TokenNotAccepted`, whatever the reason."""
        try:
            found = Token.parse(token)
            key = self._current(on).keys[found.key_id]
            is_in_time = timedelta(0) <= week_start(on) - key.week <= GRACE
            if not is_in_time or found.challenge_digest != key.challenge_digest:
                raise TokenRefused
            found.check(key.public_key)
        except (TokenRefused, KeyError):
            raise TokenNotAccepted from None
        nonce_hash = sha256(found.nonce).digest()
        return Proof(nonce_hash=nonce_hash, week=key.week, profession=key.profession)

    def issuers(self, on: date) -> Iterator[tuple[TrustedIssuer, TokenKey]]:
        """Yield every issuer that has a key of this week, with that key."""
        for issuer in self._current(on).issuers:
            if key := dict(issuer.keys).get(week_start(on)):
                yield issuer, key

    def challenge_for(self, issuer: TrustedIssuer) -> bytes:
        """Return the challenge that a token of this issuer answers."""
        return challenge(issuer=urlsplit(issuer.url).netloc, origin=self.origin)

    def challenges(self, on: date) -> str:
        """Return `WWW-Authenticate` for a report whose token was not accepted (RFC 9577, 2.1)."""
        return ", ".join(
            f'PrivateToken challenge="{_text(self.challenge_for(issuer))}", token-key="{_text(key.encoded)}"'
            for issuer, key in self.issuers(on)
        )

    def _current(self, on: date) -> _Known:
        state = (on, _changed(self.file))
        if self._known.state != state:
            try:
                issuers = tuple(self._read())
            except SQLAlchemyError as error:  # of the issuer in this process; reports go on without it
                log.error("issuers.own_unreachable", error=type(error).__name__)
                return self._known
            keys = {
                key.id: _Key(
                    week=week,
                    profession=issuer.profession,
                    challenge_digest=sha256(self.challenge_for(issuer)).digest(),
                    public_key=key.public_key,
                )
                for issuer in issuers
                for week, key in issuer.keys
            }
            self._known = _Known(state=state, issuers=issuers, keys=keys)
        return self._known

    def _read(self) -> Iterator[TrustedIssuer]:
        directories = read_issuers(self.file)
        if self.own is not None:
            url, directory = self.own()
            directories[url] = directory
        for url, directory in directories.items():
            try:
                yield read_directory(url, directory)
            except DirectoryRefused:
                log.error("issuers.directory_refused")


def read_issuers(file: Path) -> dict[str, Mapping[str, Any]]:
    """Return the directories in the file of trusted issuers, by web address; none without a readable file."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        log.error("issuers.file_unreadable", error=type(error).__name__)
        return {}
    return found if isinstance(found, dict) else {}


def _changed(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _text(value: bytes) -> str:
    return urlsafe_b64encode(value).decode()
