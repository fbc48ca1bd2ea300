"""Organisations that went live long ago, by the real rule; retention deleted the traces of that since."""

from collections.abc import Sequence

from sqlalchemy import delete

from notifications.models import OutboxMessage
from privacy.passwords import PasswordHasherSettings
from signals.demo.organisations import go_live
from signals.models import AuditEntry, Drill, Organisation, StaffMember
from signals.notices.drills import Drills
from signals.operation import Operation
from signals.staff.accounts import add_staff
from signals.vocabulary import Role


def live_since(operation: Operation, *organisations: Organisation) -> Sequence[Organisation]:
    """Let organisations without people go live at the moment of the operation, with a lead who left since."""
    session, leads = operation.session, []
    for number, organisation in enumerate(organisations):
        new = add_staff(
            operation,
            organisation_id=organisation.id,
            role=Role.LEAD,
            name="Vertrokken",
            email=f"vertrokken{number}@example.org",
            password="een lange zin als wachtwoord",
            hasher=PasswordHasherSettings(memory_kib=8, time_cost=1),
        )
        leads.append(new.member.id)
    go_live(operation, drills=Drills(public_url="https://signalen.example"), organisations=organisations)
    for model in (Drill, OutboxMessage):
        session.execute(delete(model))
    session.execute(delete(AuditEntry).where(AuditEntry.at == operation.now))
    session.execute(delete(StaffMember).where(StaffMember.id.in_(leads)))
    return organisations
