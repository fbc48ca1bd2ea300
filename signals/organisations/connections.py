"""Connect systems of an organisation: its lead asks, its privacy officer approves, and either may end it.

The secret of a case system is a file on the server, which the operator puts there. That of a webhook follows
from the keystore and the connection, so no table holds it.
"""

import base64
import hmac
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session
from stdnum.nl import bsn

from notifications.guarded_http import GuardedHttp
from signals.audit.grounds import Ground
from signals.audit.log import require_role
from signals.errors import FieldProblem, Forbidden, Invalid, NotFound
from signals.models import Approval, Connection, Organisation
from signals.models.connection import SystemKind
from signals.operation import Operation
from signals.organisations.team_settings import record_change, refuse_unknown
from signals.settings import Settings
from signals.staff.approvals import NobodyToApprove, add_request
from signals.staff.change_messages import notify_team
from signals.staff.identity import Secrets
from signals.staff.standing import APPROVERS, has_officer
from signals.vocabulary import ApprovalAction, Environment, Role

MOST_CHARACTERS: Final = 500
FIELDS: Final[Mapping[SystemKind, tuple[str, ...]]] = {
    SystemKind.ZGW: ("zaken_url", "documenten_url", "client_id", "rsin", "zaaktype", "informatieobjecttype"),
    SystemKind.WEBHOOK: ("url",),
}
"""The settings of each kind; all are required."""
_NO_ADDRESS: Final = frozenset({"client_id", "rsin"})


def guarded_http(settings: Settings) -> GuardedHttp:
    """Return the caller of addresses that teams choose."""
    names = settings.systems.private_hosts.replace(",", " ").split()
    return GuardedHttp(
        private_hosts=frozenset(name.lower() for name in names),
        plain=settings.environment is not Environment.PRODUCTION,
        seconds=settings.systems.timeout_seconds,
        ca_file=settings.ca_file,
    )


def connections(session: Session, organisation_id: UUID) -> Sequence[Connection]:
    """Return the connected systems of an organisation."""
    query = select(Connection).where(Connection.organisation_id == organisation_id)
    return session.scalars(query.order_by(Connection.kind)).all()


def webhook_secret(keystore: Secrets, connection_id: UUID) -> str:
    """Return the secret of a webhook as Standard Webhooks writes it."""
    key = hmac.digest(keystore.secret("webhooks"), connection_id.bytes, "sha256")
    return f"whsec_{base64.b64encode(key).decode()}"


def ask_to_connect(
    operation: Operation, *, kind: SystemKind, settings: Mapping[str, str], http: GuardedHttp
) -> Approval:
    """Ask the privacy officer to connect a system, as lead; it replaces the one of the same kind.

    Raises `Invalid` with every problem, and `NobodyToApprove` without an activated privacy officer.
    """
    require_role(operation.actor, Role.LEAD)
    organisation_id = _own(operation)
    refuse_unknown(settings, FIELDS[kind])
    values = {name: settings.get(name, "").strip() for name in FIELDS[kind]}
    problems = [*_problems(values, http)]
    if problems:
        raise Invalid(*problems)
    if not has_officer(operation.session, organisation_id):
        raise NobodyToApprove
    asked = add_request(
        operation,
        Approval(
            organisation_id=organisation_id,
            action=ApprovalAction.CONNECT,
            change={"kind": kind.value, "settings": values},
            email="",
            name=operation.session.get_one(Organisation, organisation_id).name,
            asked_by_id=operation.actor.id,
        ),
        Ground.CONNECTED,
    )
    notify_team(operation, organisation_id, besides=operation.actor.id)
    return asked


def connect_approved(operation: Operation, approval: Approval) -> None:
    """Connect the system of an approved request; an earlier one of the same kind ends."""
    if approval.organisation_id is None or approval.change is None:
        raise NotFound
    kind = SystemKind(approval.change["kind"])
    _end(operation, approval.organisation_id, kind)
    connection = Connection(
        organisation_id=approval.organisation_id,
        kind=kind,
        settings=approval.change["settings"],
        connected_on=operation.today,
    )
    operation.session.add(connection)
    operation.session.flush()
    record_change(operation, approval.organisation_id, Ground.CONNECTED.of(kind))


def disconnect(operation: Operation, *, kind: SystemKind) -> None:
    """End a connection at once, as lead or privacy officer; without one, do nothing."""
    require_role(operation.actor, *APPROVERS)
    organisation_id = _own(operation)
    if _end(operation, organisation_id, kind):
        notify_team(operation, organisation_id, besides=operation.actor.id)


def _end(operation: Operation, organisation_id: UUID, kind: SystemKind) -> bool:
    """Delete a connection of an organisation; messages to it are obsolete from now on."""
    session = operation.session
    session.get_one(Organisation, organisation_id, with_for_update={"of": Organisation})
    ended = [one for one in connections(session, organisation_id) if one.kind is kind]
    for one in ended:
        session.delete(one)
        record_change(operation, organisation_id, Ground.DISCONNECTED.of(kind))
    session.flush()
    return bool(ended)


def _own(operation: Operation) -> UUID:
    if operation.actor.organisation_id is None:
        raise Forbidden
    return operation.actor.organisation_id


def _problems(values: Mapping[str, str], http: GuardedHttp) -> Iterator[FieldProblem]:
    for name, value in values.items():
        if not value:
            yield FieldProblem(field=name, code="required")
        elif len(value) > MOST_CHARACTERS:
            yield FieldProblem(field=name, code="too_long")
        elif name == "rsin" and not bsn.is_valid(value):
            yield FieldProblem(field=name, code="not_an_rsin")
        elif name not in _NO_ADDRESS and not http.is_allowed(value):
            yield FieldProblem(field=name, code="not_https")
