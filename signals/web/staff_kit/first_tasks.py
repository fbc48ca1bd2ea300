"""Work out which first tasks a lead has done, from what the team has; nothing else keeps it."""

from collections.abc import Mapping

from sqlalchemy import exists, select

from signals.models import Organisation, Passkey, StaffMember
from signals.staff import own_account
from signals.web.staff_kit import account_shared as shared
from signals.web.staff_kit.auth import current
from signals.web.staff_kit.context import desk
from signals.web.staff_kit.opened import organisation_id


def first_tasks() -> Mapping[str, bool]:
    """Return each task of the signed-in lead, and whether it is done; empty when all are."""
    me, own = current().member.id, organisation_id()
    colleague = exists().where(
        StaffMember.organisation_id == own, StaffMember.id != me, StaffMember.disabled_at.is_(None)
    )
    with desk().reading() as session:
        team = session.get_one(Organisation, own)
        has_colleague, has_passkey = session.execute(
            select(colleague, exists().where(Passkey.staff_member_id == me))
        ).one()
    done = {
        "drill": team.proved_on is not None,
        "colleague": has_colleague,
        "deputy": bool(team.deputy_email),
        "contact": bool(team.contact_phone or team.contact_email),
        "passkey": has_passkey,
    }
    return {} if all(done.values()) else done


def first_values() -> Mapping[str, object]:
    """Return what the list of first tasks shows, on the queue and on its own page."""
    staff_session = current().session
    return {
        "tasks": first_tasks(),
        "recent": own_account.signed_in_recently(desk().clock, staff_session=staff_session),
        "party": shared.party_here(),
    }
