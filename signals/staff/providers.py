"""Keep at which provider the members of an organisation sign in; two people agreed to it.

The client's secret is in a file on the server, never in the database. Its name cannot leave the folder:
otherwise an administrator could send a key of this service to a provider of his own.
"""

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.audit.grounds import Ground
from signals.errors import FieldProblem, Invalid
from signals.models import Approval, IdentityProvider, Organisation, StaffMember
from signals.operation import Operation
from signals.vocabulary import AuditAction

_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
_DOMAIN: Final = re.compile(r"[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+")
_MOST: Final = 255
_LOCAL: Final = frozenset({"127.0.0.1", "localhost"})


@dataclass(frozen=True, kw_only=True)
class ProviderSettings:
    """The settings that an administrator asks for; without an issuer the team signs in here again."""

    issuer: str
    client_id: str
    secret_file: str
    domains: str
    factors: str


def provider_of(session: Session, organisation_id: uuid.UUID | None) -> IdentityProvider | None:
    """Return the provider of an organisation, if it has one."""
    query = select(IdentityProvider).where(IdentityProvider.organisation_id == organisation_id)
    return session.scalar(query)


def provider_for(session: Session, email: str) -> IdentityProvider | None:
    """Return the provider for the domain of an address, which tells nobody whether there is an account."""
    domain = domain_of(email)
    return next(
        (one for one in session.scalars(select(IdentityProvider)) if domain in one.domains.split()), None
    )


def has_providers(session: Session) -> bool:
    """Tell whether any organisation signs in at a provider."""
    return session.scalar(select(IdentityProvider.id).limit(1)) is not None


def signs_in_elsewhere(session: Session, member: StaffMember) -> bool:
    """Tell whether somebody is bound to the provider of their organisation: no other way in counts."""
    if member.identity_issuer is None:
        return False
    provider = provider_of(session, member.organisation_id)
    return provider is not None and provider.issuer == member.identity_issuer


def callback_of(organisation_id: uuid.UUID, site: str) -> str:
    """Return the address to which a provider sends people back: each organisation has its own."""
    return f"{site.rstrip('/')}/desk/provider/{organisation_id}/callback"


def is_safe(url: str) -> bool:
    """Tell whether a secret may go to an address: by https, or to this machine itself."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return (parts.scheme == "https" and bool(parts.hostname)) or (
        parts.scheme == "http" and parts.hostname in _LOCAL
    )


def domain_of(email: str) -> str:
    """Return the domain of an address, in small letters."""
    return email.strip().lower().rpartition("@")[2]


def problems_of_provider(
    session: Session, organisation_id: uuid.UUID, wanted: ProviderSettings
) -> Iterator[FieldProblem]:
    """Yield what is wrong with wished settings, by field."""
    if not is_safe(wanted.issuer):
        yield FieldProblem(field="issuer", code="invalid_value")
    if not wanted.client_id:
        yield FieldProblem(field="client_id", code="required")
    if not _FILE.fullmatch(wanted.secret_file):
        yield FieldProblem(field="secret_file", code="invalid_value")
    domains = wanted.domains.split()
    if not domains or not all(_DOMAIN.fullmatch(one) for one in domains):
        yield FieldProblem(field="domains", code="invalid_value")
    others = select(IdentityProvider).where(IdentityProvider.organisation_id != organisation_id)
    if any(set(domains) & set(one.domains.split()) for one in session.scalars(others)):
        yield FieldProblem(field="domains", code="taken")
    for name, text in asdict(wanted).items():
        if len(text) > _MOST:
            yield FieldProblem(field=name, code="too_long")


def asked_provider(approval: Approval) -> ProviderSettings:
    """Return the settings that a request is about."""
    return ProviderSettings(**(approval.change or {}))


def set_provider(operation: Operation, approval: Approval) -> None:
    """Carry out an approved request. Raises `Invalid` when another team took a domain meanwhile."""
    session, wanted, team = operation.session, asked_provider(approval), approval.organisation_id
    assert team is not None
    session.get(Organisation, team, with_for_update=True)  # a team has one provider at most
    found = provider_of(session, team)
    if wanted.issuer:
        if problems := list(problems_of_provider(session, team, wanted)):
            raise Invalid(*problems)
        _store(session, found or IdentityProvider(organisation_id=team), asdict(wanted))
    elif found is not None:
        session.delete(found)
    operation.record(
        AuditAction.ORGANISATION_CHANGED, subject_id=team, ground=Ground.PROVIDER, organisation_id=team
    )


def _store(session: Session, provider: IdentityProvider, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(provider, name, value)
    session.add(provider)
    session.flush()
