"""The demo's people, and the file that tells their passwords, TOTP secrets and tokens.

Passwords are random even here: a demo that somebody puts on the internet has none that others know.
"""

import json
import os
import secrets
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from privacy.keystore import Keystore
from privacy.passwords import PasswordHasherSettings, hash_password
from privacy.totp import new_totp_secret
from signals.audit.log import SYSTEM, AuditLog
from signals.clock import Clock
from signals.demo.organisations import AMSTERDAM, NATIONAL_DESK, example_organisations
from signals.demo.progress import Progress
from signals.models import StaffMember
from signals.operation import Operation
from signals.staff.accounts import add_staff, issue_token
from signals.staff.identity import seal_totp
from signals.staff.sessions import revoke_all
from signals.vocabulary import Role

TEAMS = (
    AMSTERDAM,
    "groningen",
    "ggd-regio-utrecht",
    "utrecht",
    "rotterdam",
    "haarlem-noord",
    "zuidwest-drenthe",
    NATIONAL_DESK,
)
"""Slugs of the organisations that have a worker and a lead."""

_NAMES = (
    ("Sanne de Wit", "Mehmet Kaya"),
    ("Jelle Hoekstra", "Anouk Mulder"),
    ("Fatima el Idrissi", "Bram Verhoeven"),
    ("Noor Jansen", "Thijs van Dam"),
    ("Ruben Dijkstra", "Shanti Ramdin"),
    ("Eva Koster", "Joris Bakker"),
    ("Lotte Smit", "Henk Oosting"),
    ("Iris Vermeer", "Karim Haddad"),
)
_WORDS = (
    "appel", "avond", "berk", "beuk", "blauw", "boot", "brood", "brug", "citroen", "deken", "duin", "eend",
    "fiets", "fluit", "gans", "gitaar", "groen", "haven", "heide", "herfst", "hond", "kaas", "kachel", "kano",
    "kers", "klok", "koffie", "lamp", "lente", "linde", "maan", "markt", "melk", "merel", "molen", "mosterd",
    "muts", "noot", "oever", "paard", "peer", "plein", "poort", "regen", "roos", "ruit", "sjaal", "sloot",
    "sneeuw", "spiegel", "steen", "stoel", "tafel", "thee", "tuin", "tulp", "uil", "veer", "vijver", "vlieg",
    "wilg", "wolk", "zee", "zomer",
)  # fmt: skip

_FOR_NOW = PasswordHasherSettings(memory_kib=64, time_cost=1)  # replaced before anything is committed


@dataclass(frozen=True, kw_only=True)
class DemoAccount:
    """One entry of accounts.json, with the very keys that programs read."""

    organisation: str | None
    organisation_id: uuid.UUID | None
    role: Role
    email: str
    password: str = field(repr=False)
    totp_secret: str = field(repr=False)
    token: str = field(repr=False)


class Passwords:
    """A password for each of the demo's people, hashed on other threads while the stories are told."""

    def __init__(self, hasher: PasswordHasherSettings) -> None:
        self._pool = ThreadPoolExecutor(max_workers=2)
        self._chosen = {person.email: _password() for person in _people()}
        self._hashes = {
            email: self._pool.submit(hash_password, password, hasher)
            for email, password in self._chosen.items()
        }

    def __enter__(self) -> "Passwords":
        return self

    def __exit__(self, *_problem: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def __getitem__(self, email: str) -> str:
        return self._chosen[email]

    def store_hashes(self, session: Session, *, progress: Progress) -> None:
        """Give everybody of the demo the hash of their password."""
        members = session.scalars(select(StaffMember).where(StaffMember.email.in_(self._chosen))).all()
        for member in progress(members, "passwords"):
            member.password_hash = self._hashes[member.email].result()


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Somebody as whom a newcomer signs in."""

    role: Role
    email: str


def shown_on_sign_in() -> list[Shown]:
    """One of each role, those of Amsterdam where a role has a team; first the worker."""
    found = {
        person.role: Shown(role=person.role, email=person.email)
        for person in _people()
        if person.slug in (AMSTERDAM, None)
    }
    return [found[role] for role in Role]


def add_accounts(
    session: Session, past: Clock, *, now: Clock, keystore: Keystore, audit: AuditLog, passwords: Passwords
) -> list[DemoAccount]:
    """Everybody of the demo, at work since `past`, each with a token issued `now`; flushes.

    The caller stores the real hashes (`Passwords.store_hashes`) before it commits.
    """
    accounts = []
    for person in _people():
        new = add_staff(
            Operation(session=session, clock=past, actor=SYSTEM, audit=audit, keystore=keystore),
            organisation_id=person.organisation_id,
            role=person.role,
            name=person.name,
            email=person.email,
            password=passwords[person.email],
            hasher=_FOR_NOW,
        )
        issuing = Operation(session=session, clock=now, actor=SYSTEM, audit=audit, keystore=keystore)
        token = issue_token(issuing, member=new.member, label="demo")
        accounts.append(_account(person, passwords[person.email], new.totp_secret, token))
    return accounts


def renew_accounts(
    session: Session, clock: Clock, *, keystore: Keystore, audit: AuditLog, passwords: Passwords
) -> list[DemoAccount]:
    """New TOTP secrets and tokens for those of the demo who are still there; old ones end.

    The caller stores the hashes of the new passwords, as above.
    """
    accounts = []
    for person in _people():
        query = select(StaffMember).where(
            StaffMember.email == person.email, StaffMember.disabled_at.is_(None)
        )
        member = session.scalar(query)
        if member is None:
            continue
        totp_secret = new_totp_secret()
        member.totp_sealed, member.totp_last_step = seal_totp(keystore, member.id, totp_secret), None
        revoke_all(session, clock, member=member)
        issuing = Operation(session=session, clock=clock, actor=SYSTEM, audit=audit, keystore=keystore)
        token = issue_token(issuing, member=member, label="demo")
        accounts.append(_account(person, passwords[person.email], totp_secret, token))
    return accounts


def write_accounts(path: Path, accounts: Sequence[DemoAccount]) -> None:
    """Write the file (mode 0600) whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    descriptor = os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump([asdict(account) for account in accounts], file, indent=2, ensure_ascii=False, default=str)
        file.write("\n")
    unfinished.replace(path)


@dataclass(frozen=True, kw_only=True)
class _Person:
    slug: str | None
    role: Role
    name: str
    email: str

    @property
    def organisation_id(self) -> uuid.UUID | None:
        return example_organisations()[self.slug].id if self.slug else None


def _people() -> Iterable[_Person]:
    for slug, (worker, lead) in zip(TEAMS, _NAMES, strict=True):
        yield _Person(slug=slug, role=Role.WORKER, name=worker, email=f"werker@{slug}.example.org")
        yield _Person(slug=slug, role=Role.LEAD, name=lead, email=f"teamleider@{slug}.example.org")
    yield from _others()


def _others() -> Iterator[_Person]:
    yield _Person(
        slug=None, role=Role.COORDINATOR, name="Marieke Prins", email="coordinator@landelijk.example.org"
    )
    yield _Person(
        slug=None, role=Role.ADMINISTRATOR, name="Wouter Blom", email="beheerder@landelijk.example.org"
    )
    yield _Person(
        slug=AMSTERDAM, role=Role.PRIVACY_OFFICER, name="Esra Yilmaz", email=f"fg@{AMSTERDAM}.example.org"
    )


def _account(person: _Person, password: str, totp_secret: str, token: str) -> DemoAccount:
    return DemoAccount(
        organisation=example_organisations()[person.slug].name if person.slug else None,
        organisation_id=person.organisation_id,
        role=person.role,
        email=person.email,
        password=password,
        totp_secret=totp_secret,
        token=token,
    )


def _password() -> str:
    """`molen-sneeuw-koffie-haven-4821`: to be typed by people, 37 bits, with TOTP beside it."""
    words = [secrets.choice(_WORDS) for _ in range(4)]
    return "-".join([*words, f"{secrets.randbelow(10_000):04d}"])
