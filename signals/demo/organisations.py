"""The demo's organisations: six of social work, the 25 GGDs and a national desk, all marked as examples."""

import unicodedata
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from types import MappingProxyType

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, sessionmaker

from privacy.keystore import Keystore
from privacy.sealing import week_start
from signals import reference
from signals.models import MailboxPublicKey, Organisation
from signals.organisations.onboarding import Agreement, create_organisation
from signals.routing.areas import Area
from signals.routing.snapshot import routing_changed
from signals.vocabulary import OrganisationKind

NATIONAL_DESK = "landelijk"
AMSTERDAM = "amsterdam"

_NAMESPACE = uuid.UUID("6b0f6a3c-0a4d-5f0e-9d54-6c1f0f2f6a10")
_COVERED_FROM = date(2024, 1, 1)
_AGREED_ON = date(2024, 3, 4)
_VERIFIED_ON = date(2024, 3, 11)


@dataclass(frozen=True, kw_only=True)
class ExampleOrganisation:
    """An organisation of the demo; `slug` names it in this package and in its addresses."""

    slug: str
    name: str
    kind: OrganisationKind
    areas: tuple[Area, ...]
    phone: str = ""
    agreement: Agreement = field(
        default_factory=lambda: Agreement(
            on=_AGREED_ON,
            legal_basis="Artikel 6 lid 1 onder e AVG, met artikel 2.2.3 Wmo 2015 (voorbeeld)",
            retention_basis="Selectielijst gemeenten 2020, proces 15 (voorbeeld)",
        )
    )

    @property
    def id(self) -> uuid.UUID:
        """The same in every demo."""
        return organisation_id(self.slug)


def organisation_id(slug: str) -> uuid.UUID:
    """The id of an organisation of the demo."""
    return uuid.uuid5(_NAMESPACE, slug)


def add_organisations(session: Session) -> None:
    """All organisations of the demo, onboarded; flushes."""
    for example in example_organisations().values():
        made = create_organisation(
            session,
            organisation_id=example.id,
            name=example.name,
            kind=example.kind,
            areas=example.areas,
            agreement=example.agreement,
            recipients=(f"team@{example.slug}.example.org", f"achterwacht@{example.slug}.example.org"),
            recipients_verified_on=_VERIFIED_ON,
            is_example=True,
            contact_phone=example.phone,
            contact_email=f"post@{example.slug}.example.org",
        )
        if example.kind is OrganisationKind.SOCIAL_WORK:
            made.deputy_email = f"plaatsvervanger@{example.slug}.example.org"
            made.deputy_verified_on = _VERIFIED_ON
    session.flush()


def is_seeded(sessions: sessionmaker[Session]) -> bool:
    """Whether the demo is in this database: it came in one transaction, so one row speaks for all."""
    with sessions() as session:
        return session.get(Organisation, organisation_id(NATIONAL_DESK)) is not None


def make_past_mailbox_keys(session: Session, keystore: Keystore, *, since: date, on: date) -> None:
    """Mailbox keys of the weeks before this one, for the reports of the demo's past; flushes."""
    weeks = [week_start(since) + timedelta(weeks=n) for n in range((on - since).days // 7 + 1)]
    past = [week for week in weeks if week < week_start(on)]
    pairs = [(example.id, week) for example in example_organisations().values() for week in past]
    session.add_all(
        MailboxPublicKey(
            key_id=half.key_id,
            organisation_id=half.organisation_id,
            week=half.week,
            public_key=half.public_key,
            signature=half.signature,
        )
        for half in keystore.make_mailbox_keys(pairs)
    )
    session.flush()
    routing_changed(session)


def drop_past_mailbox_keys(session: Session, keystore: Keystore, *, on: date) -> None:
    """Destroy those keys again once everything has arrived, as the sweep of keys does."""
    past = MailboxPublicKey.week < week_start(on)
    key_ids = list(session.scalars(select(MailboxPublicKey.key_id).where(past)))
    session.execute(delete(MailboxPublicKey).where(past))
    routing_changed(session)
    keystore.destroy_mailbox_keys(key_ids)


@cache
def example_organisations() -> Mapping[str, ExampleOrganisation]:
    """Every organisation of the demo by its slug."""
    examples = (*_social_work(), *_ggds(), _national_desk())
    return MappingProxyType({example.slug: example for example in examples})


def _social_work() -> Iterator[ExampleOrganisation]:
    yield _team("amsterdam", "Sociaal Werk Amsterdam", "020 000 00 12", _municipality("GM0363"))
    yield _team("groningen", "Sociaal Werk Groningen", "050 000 00 12", _municipality("GM0014"))
    yield _team("utrecht", "Sociaal Werk Utrecht", "030 000 00 12", _municipality("GM0344"))
    yield _team("rotterdam", "Sociaal Werk Rotterdam", "010 000 00 12", _municipality("GM0599"))
    yield _team("haarlem-noord", "Wijkteam Haarlem-Noord", "023 000 00 12", *_parts_of_haarlem())
    yield _team(
        "zuidwest-drenthe",
        "Welzijn Zuidwest-Drenthe",
        "0522 00 00 12",
        *(_municipality(code) for code in ("GM0119", "GM1690", "GM1701")),
    )


def _team(slug: str, name: str, phone: str, *areas: Area) -> ExampleOrganisation:
    return ExampleOrganisation(
        slug=slug,
        name=f"{name} (voorbeeld)",
        kind=OrganisationKind.SOCIAL_WORK,
        areas=areas,
        phone=phone,
    )


def _municipality(code: str) -> Area:
    return Area(level="municipality", area=code, valid_from=_COVERED_FROM)


def _parts_of_haarlem() -> Iterator[Area]:
    """A part of a municipality: four whole PC4s, one PC6, and house numbers of another."""
    for pc4 in ("2023", "2024", "2025", "2026"):
        yield Area(level="pc4", area=pc4, valid_from=_COVERED_FROM)
    yield Area(level="pc6", area="2022AB", valid_from=_COVERED_FROM)
    yield Area(level="pc6_range", area="2021AB", valid_from=_COVERED_FROM, number_from=1, number_to=99)


def _ggds() -> Iterator[ExampleOrganisation]:
    for region in reference.ggd_regions().values():
        yield ExampleOrganisation(
            slug=_slug_of(region.name),
            name=f"{region.name} (voorbeeld)",
            kind=OrganisationKind.GGD,
            areas=(Area(level="ggd_region", area=region.code, valid_from=_COVERED_FROM),),
        )


def _slug_of(name: str) -> str:
    """`ggd-fryslan` of `GGD Fryslân`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "-".join("".join(c if c.isalnum() else " " for c in plain).split())


def _national_desk() -> ExampleOrganisation:
    return ExampleOrganisation(
        slug=NATIONAL_DESK,
        name="Landelijk meldpunt (voorbeeld)",
        kind=OrganisationKind.NATIONAL,
        areas=(Area(level="national", area="NL", valid_from=_COVERED_FROM),),
        phone="0800 00 00 12",
    )
