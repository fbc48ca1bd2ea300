"""The demo's organisations: six of social work, the 25 GGDs and a national desk, all marked as examples."""

import unicodedata
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from sqlalchemy.orm import Session, sessionmaker

from signals import reference
from signals.models import Organisation
from signals.organisations.onboarding import Agreement, create_organisation
from signals.routing.areas import Area
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
    kind: OrganisationKind = OrganisationKind.SOCIAL_WORK
    phone: str = ""


def organisation_id(slug: str) -> uuid.UUID:
    """Return the id of an organisation; it is the same in every demo."""
    return uuid.uuid5(_NAMESPACE, slug)


def is_seeded(sessions: sessionmaker[Session]) -> bool:
    """Return whether the demo is there: it comes in one transaction, so one row answers for all."""
    with sessions() as session:
        return session.get(Organisation, organisation_id(NATIONAL_DESK)) is not None


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
    """Return every organisation of the demo by its slug."""
    return {example.slug: example for example in (*_social_work(), *_ggds(), _national_desk())}


def _social_work() -> Iterator[Example]:
    for slug, name, phone, areas in (
        ("amsterdam", "Sociaal Werk Amsterdam", "020 000 00 12", _municipalities("GM0363")),
        ("groningen", "Sociaal Werk Groningen", "050 000 00 12", _municipalities("GM0014")),
        ("utrecht", "Sociaal Werk Utrecht", "030 000 00 12", _municipalities("GM0344")),
        ("rotterdam", "Sociaal Werk Rotterdam", "010 000 00 12", _municipalities("GM0599")),
        ("haarlem-noord", "Wijkteam Haarlem-Noord", "023 000 00 12", tuple(_parts_of_haarlem())),
        (
            "zuidwest-drenthe",
            "Welzijn Zuidwest-Drenthe",
            "0522 00 00 12",
            _municipalities("GM0119", "GM1690", "GM1701"),
        ),
    ):
        yield Example(slug=slug, name=name, phone=phone, areas=areas)


def _municipalities(*codes: str) -> tuple[Area, ...]:
    return tuple(Area(level="municipality", area=code, valid_from=_COVERED_FROM) for code in codes)


def _parts_of_haarlem() -> Iterator[Area]:
    """Yield four whole PC4s, one PC6, and some house numbers of another."""
    for pc4 in ("2023", "2024", "2025", "2026"):
        yield Area(level="pc4", area=pc4, valid_from=_COVERED_FROM)
    yield Area(level="pc6", area="2022AB", valid_from=_COVERED_FROM)
    yield Area(level="pc6_range", area="2021AB", valid_from=_COVERED_FROM, number_from=1, number_to=99)


def _ggds() -> Iterator[Example]:
    for region in reference.ggd_regions().values():
        yield Example(
            slug=_slug_of(region.name),
            name=region.name,
            kind=OrganisationKind.GGD,
            areas=(Area(level="ggd_region", area=region.code, valid_from=_COVERED_FROM),),
        )


def _slug_of(name: str) -> str:
    """Return `ggd-fryslan` for `GGD Fryslân`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "-".join("".join(c if c.isalnum() else " " for c in plain).split())


def _national_desk() -> Example:
    return Example(
        slug=NATIONAL_DESK,
        name="Landelijk meldpunt",
        kind=OrganisationKind.NATIONAL,
        areas=(Area(level="national", area="NL", valid_from=_COVERED_FROM),),
        phone="0800 00 00 12",
    )
