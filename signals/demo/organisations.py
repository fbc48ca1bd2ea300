"""The demo's organisations: six of social work, the 25 GGDs and a national desk, all marked as examples."""

import unicodedata
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from signals import reference
from signals.demo.data import demo_data, places
from signals.models import Drill, Organisation, Recipient
from signals.models.place import NEIGHBOURHOOD, STREET
from signals.notices.drills import Drills
from signals.operation import Operation
from signals.organisations.onboarding import Agreement, create_organisation
from signals.organisations.recipients import VALID_DAYS, prove
from signals.organisations.verification_links import RECIPIENT, VerificationLink, address_code, path_codes
from signals.routing.areas import Area
from signals.routing.place_import import Begin, import_places
from signals.vocabulary import OrganisationKind

NATIONAL_DESK = "landelijk"
AMSTERDAM = "amsterdam"

_NAMESPACE = uuid.UUID("6b0f6a3c-0a4d-5f0e-9d54-6c1f0f2f6a10")
_COVERED_FROM = date(2024, 1, 1)
_AGREEMENT = Agreement(
    on=date(2024, 3, 4),
    legal_basis="Artikel 6 lid 1 onder e AVG, met artikel 2.2.3 Wmo 2015 (voorbeeld)",
    retention_basis="Selectielijst gemeenten 2020, proces 15 (voorbeeld)",
)


@dataclass(frozen=True, kw_only=True)
class Example:
    """An organisation of the demo; `slug` names it in this package and in its e-mail addresses."""

    slug: str
    name: str
    areas: tuple[Area, ...]
    kind: OrganisationKind
    phone: str


def organisation_id(slug: str) -> uuid.UUID:
    """Return the id of an organisation; it is the same in every demo."""
    return uuid.uuid5(_NAMESPACE, slug)


def is_seeded(sessions: sessionmaker[Session]) -> bool:
    """Return whether the demo is there: it comes in one transaction, so one row answers for all."""
    with sessions() as session:
        return session.get(Organisation, organisation_id(NATIONAL_DESK)) is not None


def add_places(begin: Begin) -> None:
    """Import the streets and neighbourhoods of the stories, as the files of BAG and CBS would give them."""
    found = sorted(places())
    streets = [(postcode, 1, names[:2]) for postcode, names in found]
    quarters = [
        (postcode, 1, (*names[2:], reference.municipality_of_pc4(int(postcode[:4])) or ""))
        for postcode, names in found
    ]
    for kind, rows in ((STREET, streets), (NEIGHBOURHOOD, quarters)):
        import_places(begin, kind=kind, file=b"demo", rows=rows)


def add_organisations(session: Session, on: date) -> None:
    """Add all organisations, each with its agreement, and flush; `on`: the day on which deputies verify.

    One team reads its mails in English and one reads a digest, so that the demo shows both.
    """
    for example in examples().values():
        made = create_organisation(
            session,
            organisation_id=organisation_id(example.slug),
            name=f"{example.name} (voorbeeld)",
            kind=example.kind,
            areas=example.areas,
            agreement=_AGREEMENT,
            recipients=(f"team@{example.slug}.example.org", f"achterwacht@{example.slug}.example.org"),
            is_example=True,
            contact_phone=example.phone,
            contact_email=f"post@{example.slug}.example.org",
        )
        if example.kind is OrganisationKind.SOCIAL_WORK:
            made.deputy_email = f"plaatsvervanger@{example.slug}.example.org"
            made.deputy_verified_on = on
    session.get_one(Organisation, organisation_id("haarlem-noord")).language = "en"
    session.get_one(Organisation, organisation_id("utrecht")).digest_at = 8
    session.flush()


@cache
def examples() -> Mapping[str, Example]:
    """Return every organisation of the demo by its slug: those of demo.toml, and each GGD."""
    ggds = {
        _slug_of(region.name): (region.name, "ggd", "", f"ggd_region {region.code}")
        for region in reference.ggd_regions().values()
    }
    return {
        slug: Example(
            slug=slug, name=name, kind=OrganisationKind(kind), phone=phone, areas=tuple(map(_area, areas))
        )
        for slug, (name, kind, phone, *areas) in {**demo_data()["organisations"], **ggds}.items()
    }


def _area(text: str) -> Area:
    """Return the area of `municipality GM0363` or `pc6_range 2021AB 1-99`."""
    level, area, *numbers = text.split()
    first, last = map(int, numbers[0].split("-")) if numbers else (None, None)
    return Area(level=level, area=area, valid_from=_COVERED_FROM, number_from=first, number_to=last)


def _slug_of(name: str) -> str:
    """Return `ggd-fryslan` for `GGD Fryslân`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "-".join("".join(c if c.isalnum() else " " for c in plain).split())


def go_live(operation: Operation, *, drills: Drills, organisations: Sequence[Organisation]) -> None:
    """Press the link of every recipient, then send each team a test message and answer it.

    A team must have an activated lead before: without one the answer does not count.
    """
    for organisation in organisations:
        press_links(operation, organisation)
    drills.send(operation, organisation_ids=[one.id for one in organisations])
    for organisation in organisations:
        drills.answer(operation, drill=_open_drill(operation, organisation.id))


def press_links(operation: Operation, organisation: Organisation) -> None:
    """Press the mailed link of every recipient of an organisation."""
    for recipient in organisation.recipients:
        prove(operation, link=_link_to(operation, recipient))


def _link_to(operation: Operation, recipient: Recipient) -> VerificationLink:
    link = VerificationLink(
        role=RECIPIENT,
        subject_id=recipient.id,
        address_code=address_code(operation.keystore, recipient.address),
        valid_until=(operation.today + timedelta(days=VALID_DAYS)).isoformat(),
    )
    return replace(link, code=path_codes(operation.keystore).code(link.path))


def _open_drill(operation: Operation, organisation_id: UUID) -> Drill:
    query = select(Drill).where(Drill.organisation_id == organisation_id, Drill.answered_on.is_(None))
    return operation.session.scalars(query).one()
