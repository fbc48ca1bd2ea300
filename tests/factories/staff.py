"""People who sign in. Their password hash and TOTP secret are no real ones: who signs in uses `add_staff`."""

import hashlib
from datetime import timedelta

import factory

from signals.models import StaffMember, StaffSession
from signals.vocabulary import Role
from tests.factories.base import MOMENT, RowFactory, numbered_id
from tests.factories.organisations import OrganisationFactory


class StaffMemberFactory(RowFactory):
    """A worker of an organisation of their own, unless told."""

    class Meta:
        model = StaffMember

    id = factory.Sequence(lambda n: numbered_id(0x57, n))
    organisation = factory.SubFactory(OrganisationFactory)
    role = Role.WORKER
    name = factory.Sequence(lambda n: f"Medewerker {n}")
    email = factory.Sequence(lambda n: f"medewerker{n}@example.org")
    language = "nl"
    password_hash = "not a hash"
    totp_sealed = b"not a sealed secret"
    created_at = MOMENT


class StaffSessionFactory(RowFactory):
    """A browser's session; the bearer's secret is "token-1", "token-2" and so on."""

    class Meta:
        model = StaffSession
        exclude = ("secret",)

    id = factory.Sequence(lambda n: numbered_id(0x5E, n))
    staff_member = factory.SubFactory(StaffMemberFactory)
    kind = "page"
    secret = factory.Sequence(lambda n: f"token-{n}")
    token_hash = factory.LazyAttribute(lambda row: hashlib.sha256(row.secret.encode()).digest())
    created_at = MOMENT
    last_seen_at = MOMENT
    expires_at = MOMENT + timedelta(hours=12)
