"""Repeat concerns: found again by a keyed pseudonym of the address, within one organisation, for a year.

Each signal leaves one link under the key of its quarter. To find earlier ones, the address is
pseudonymised under the keys of this quarter and the four before it; whoever lacks the keys finds nothing.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Protocol

from sqlalchemy import ColumnElement, Row, bindparam, select
from sqlalchemy.orm import Session

from privacy.keystore import KeyRefused
from privacy.macs import Mac, many_macs
from privacy.pseudonyms import pseudonyms, quarter_of, quarters_for_matching
from signals.models import AddressLink, Signal
from signals.routing.postcodes import Address


class PseudonymKeys(Protocol):
    """A source of pseudonym keys: the keystore on the desk side."""

    def pseudonym_keys_for(
        self, pairs: Iterable[tuple[uuid.UUID, str]]
    ) -> dict[tuple[uuid.UUID, str], bytes]:
        """Return the keys of (organisation, quarter) pairs; make a missing key, leave out a damaged one."""
        ...

    def matching_keys(
        self, pairs: Iterable[tuple[uuid.UUID, str]]
    ) -> dict[tuple[uuid.UUID, str], tuple[bytes, ...]]:
        """Every key under which a repeat may be found."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """An address as the pseudonyms under which it may be known; the first pair is this quarter's own.

    `has_own`: this quarter's key can be read.
    """

    organisation_id: uuid.UUID
    quarter: str
    exact: tuple[bytes, ...] = field(repr=False)
    house: tuple[bytes, ...] = field(repr=False)
    has_own: bool = True

    @property
    def own(self) -> tuple[bytes, bytes]:
        """Return both pseudonyms of a new link. Raises `KeyRefused` when this quarter's key is damaged."""
        if not self.has_own:
            raise KeyRefused
        return self.exact[0], self.house[0]

    def is_same_address(self, link: "Row[tuple[bytes]] | AddressLink") -> bool:
        """Whether the link is of exactly this address, and not only perhaps of the same house."""
        return link.pseudonym in self.exact


_EARLIER: Final = (
    select(AddressLink)
    .where(AddressLink.house_pseudonym.in_(bindparam("house", expanding=True)))
    .where(AddressLink.organisation_id == bindparam("organisation_id"))
    .where(AddressLink.signal_id.is_distinct_from(bindparam("besides")))
    .order_by(AddressLink.received_on.desc(), AddressLink.id)
    .limit(20)
)
"""Made once: it is asked at every opening."""


class Prober:
    """Makes probes; what depends on an organisation's keys alone is done once.

    It holds keys, and a destroyed one must not live on: drop it soon.
    """

    def __init__(self, keys: PseudonymKeys) -> None:
        self._keys = keys
        self._macs: dict[tuple[uuid.UUID, str], list[Mac]] = {}
        self._damaged: set[uuid.UUID] = set()

    def probes(self, addresses: Sequence[tuple[uuid.UUID, Address]], on: date) -> list[Probe]:
        """Return the probes of (organisation, address) pairs, in their order, with one keystore query."""
        quarter = quarter_of(on)
        self._fetch({organisation_id for organisation_id, _ in addresses}, on)
        return [
            _probe(o, quarter, self._macs[o, quarter], address, has_own=o not in self._damaged)
            for o, address in addresses
        ]

    def _fetch(self, organisations: set[uuid.UUID], on: date) -> None:
        quarter, *earlier = quarters_for_matching(on)
        new = {o for o in organisations if (o, quarter) not in self._macs}
        own = self._keys.pseudonym_keys_for((o, quarter) for o in new)
        old = self._keys.matching_keys((o, q) for o in new for q in (quarter, *earlier))
        self._damaged |= {o for o in new if (o, quarter) not in own}
        for o in new:
            first = [own[o, quarter]] if (o, quarter) in own else []
            self._macs[o, quarter] = _macs_of(first, [old[o, q] for q in (quarter, *earlier)])


def probes_for(keys: PseudonymKeys, addresses: Sequence[tuple[uuid.UUID, Address]], on: date) -> list[Probe]:
    """Return the probes of (organisation, address) pairs, in order, with one keystore query."""
    return Prober(keys).probes(addresses, on)


def earlier_links(session: Session, probe: Probe, *, besides: uuid.UUID) -> list[AddressLink]:
    """Links of the same house in the same organisation, newest first, without the signal `besides`."""
    wanted = {"house": probe.house, "organisation_id": probe.organisation_id, "besides": besides}
    return list(session.scalars(_EARLIER, wanted))


def at_probe(probe: Probe) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for links of exactly this address; the house comes first, for its index."""
    return (
        AddressLink.organisation_id == probe.organisation_id,
        AddressLink.house_pseudonym.in_(probe.house),
        AddressLink.pseudonym.in_(probe.exact),
    )


def beside_probe(probe: Probe) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for links of the same house under another addition or none."""
    return (
        AddressLink.organisation_id == probe.organisation_id,
        AddressLink.house_pseudonym.in_(probe.house),
        AddressLink.pseudonym.not_in(probe.exact),
    )


def link_of(signal: Signal, probe: Probe) -> AddressLink:
    """Return the link that a signal leaves at the address of the probe."""
    exact, house = probe.own
    return AddressLink(
        organisation_id=signal.organisation_id,
        quarter=probe.quarter,
        pseudonym=exact,
        house_pseudonym=house,
        received_on=signal.received_on,
        signal_id=signal.id,
    )


def oldest_kept(on: date) -> str:
    """Return the earliest quarter whose links and keys are still kept."""
    return quarters_for_matching(on)[-1]


def _macs_of(first: Sequence[bytes], by_quarter: Iterable[tuple[bytes, ...]]) -> list[Mac]:
    """Under the organisation's key of this quarter first, then under all others that may match."""
    return [*map(many_macs, (*first, *(key for keys in by_quarter for key in keys if key not in first)))]


def _probe(
    organisation_id: uuid.UUID, quarter: str, macs: Sequence[Mac], address: Address, *, has_own: bool
) -> Probe:
    exact, house = pseudonyms(macs, address.postcode, address.number, address.addition)
    return Probe(organisation_id=organisation_id, quarter=quarter, exact=exact, house=house, has_own=has_own)
