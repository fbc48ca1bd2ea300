"""People who sign in. Their password hash and TOTP secret are no real ones: who signs in uses `add_staff`."""

import hashlib
from datetime import timedelta

from signals.models import StaffMember, StaffSession
from signals.vocabulary import Role
from tests.factories.base import MOMENT, RowFactory, derived, numbered_id, sequence, sub_factory
from tests.factories.organisations import OrganisationFactory


class StaffMemberFactory(RowFactory[StaffMember]):
    """A worker of an organisation of their own, unless told."""

    class Meta:
        model = StaffMember

    id = sequence(lambda n: numbered_id(0x57, n))
    organisation = sub_factory(OrganisationFactory)
    role = Role.WORKER
    name = sequence(lambda n: f"Medewerker {n}")
    email = sequence(lambda n: f"medewerker{n}@example.org")
    language = "nl"
    password_hash = "not a hash"
    totp_sealed = b"not a sealed secret"
    created_at = MOMENT


class StaffSessionFactory(RowFactory[StaffSession]):
    """A browser's session; the bearer's secret is "token-1", "token-2" and so on."""

    class Meta:
        model = StaffSession
        exclude = ("secret",)

    id = sequence(lambda n: numbered_id(0x5E, n))
    staff_member = sub_factory(StaffMemberFactory)
    kind = "page"
    secret = sequence(lambda n: f"token-{n}")
    token_hash = derived(lambda row: hashlib.sha256(row.secret.encode()).digest())
    created_at = MOMENT
    last_seen_at = MOMENT
    expires_at = MOMENT + timedelta(hours=12)
