"""The demo's people, and the file with their passwords, TOTP secrets and tokens.

Passwords are random even here, so that nobody knows those of a demo on the internet.
"""

import json
import os
import secrets
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import select

from privacy.passwords import PasswordHasherSettings, hash_password
from privacy.totp import new_totp_secret
from signals.demo.data import demo_data
from signals.demo.organisations import AMSTERDAM, examples, organisation_id
from signals.models import StaffMember
from signals.operation import Operation
from signals.staff.accounts import add_staff, issue_token
from signals.staff.identity import seal_totp
from signals.staff.sessions import revoke_all
from signals.vocabulary import Role

_CHEAP = PasswordHasherSettings(memory_kib=64, time_cost=1)  # `issue_accounts` replaces these hashes


class Person(NamedTuple):
    """One of the demo's people; coordinator and administrator have no organisation."""

    slug: str | None
    role: Role
    name: str
    email: str


def people() -> Iterator[Person]:
    """Yield everybody; the worker of Amsterdam comes first."""
    teams = demo_data()["people"]
    for slug, (worker, lead) in teams.items():
        yield Person(slug, Role.WORKER, worker, f"werker@{slug}.example.org")
        yield Person(slug, Role.LEAD, lead, f"teamleider@{slug}.example.org")
    for slug, example in examples().items():
        if slug not in teams:
            yield Person(slug, Role.LEAD, f"Teamleider {example.name}", f"teamleider@{slug}.example.org")
    yield Person(None, Role.COORDINATOR, "Marieke Prins", "coordinator@landelijk.example.org")
    yield Person(None, Role.ADMINISTRATOR, "Wouter Blom", "beheerder@landelijk.example.org")
    yield Person(AMSTERDAM, Role.PRIVACY_OFFICER, "Esra Yilmaz", f"fg@{AMSTERDAM}.example.org")


def shown_on_sign_in() -> list[Person]:
    """Return one person of each role, from Amsterdam where a role has a team; the worker comes first."""
    found = {person.role: person for person in people() if person.slug in (AMSTERDAM, None)}
    return [found[role] for role in Role]


def add_people(operation: Operation) -> None:
    """Add everybody without a usable password, and flush."""
    for person in people():
        add_staff(
            operation,
            organisation_id=organisation_id(person.slug) if person.slug else None,
            role=person.role,
            name=person.name,
            email=person.email,
            password=secrets.token_urlsafe(),
            hasher=_CHEAP,
        )


def issue_accounts(operation: Operation, hasher: PasswordHasherSettings) -> list[dict[str, Any]]:
    """Give everybody who is not disabled a new password, TOTP secret and token; end the old ones.

    Return the entries of accounts.json.
    """
    active = select(StaffMember).where(StaffMember.disabled_at.is_(None))
    members = {member.email: member for member in operation.session.scalars(active)}
    chosen = {person: _password() for person in people() if person.email in members}
    with ThreadPoolExecutor(max_workers=2) as pool:
        hashes = list(pool.map(partial(hash_password, settings=hasher), chosen.values()))
    accounts = []
    for (person, password), password_hash in zip(chosen.items(), hashes, strict=True):
        member = members[person.email]
        member.password_hash = password_hash
        accounts.append(_issue_account(operation, person, member, password))
    return accounts


def write_accounts(path: Path, accounts: Sequence[dict[str, Any]]) -> None:
    """Write the file (mode 0600) whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    descriptor = os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(accounts, file, indent=2, ensure_ascii=False, default=str)
        file.write("\n")
    unfinished.replace(path)


def _issue_account(
    operation: Operation, person: Person, member: StaffMember, password: str
) -> dict[str, Any]:
    totp_secret = new_totp_secret()
    member.totp_sealed = seal_totp(operation.keystore, member.id, totp_secret)
    member.totp_last_step = None
    revoke_all(operation.session, operation.clock, member=member)
    return {
        "organisation": member.organisation.name if member.organisation else None,
        "organisation_id": member.organisation_id,
        "role": person.role,
        "email": person.email,
        "password": password,
        "totp_secret": totp_secret,
        "token": issue_token(operation, member=member, label="demo"),
    }


def _password() -> str:
    """Return 64 random bits that people can type, like `3f9a-77c0-12de-b845`."""
    return "-".join(secrets.token_hex(2) for _ in range(4))
