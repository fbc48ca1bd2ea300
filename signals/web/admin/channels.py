"""The calls that the API and the page about delivery share; no recipient and no content."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications import dead_letters
from notifications.dead_letters import SAME, Wish
from notifications.figures import ChannelHealth, channel_health
from notifications.models import ChannelState, PostedLetter
from notifications.states import channel_states
from signals.audit.grounds import Ground
from signals.errors import Conflict, NotFound
from signals.models import Organisation
from signals.notices.going_live import ChannelProof, channel_proofs
from signals.operation import Operation
from signals.vocabulary import AuditAction
from signals.web.staff_kit.context import desk, operation

LEAST = 10
"""A smaller number of waiting messages stays hidden: for one team it equals a number of signals."""


FEW = 5
"""The page groups more dead letters than this by their cause."""


class ChosenAlready(Conflict):
    """Somebody chose another action for this message already."""

    code = "chosen_already"


class NoAddressNow(Conflict):
    """No recipient has confirmed the address of this message."""

    code = "no_address_now"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """The state of delivery; `names` of organisations by id."""

    channels: Sequence[ChannelState]
    health: Sequence[ChannelHealth]
    letters: Sequence[PostedLetter]
    proofs: Sequence[ChannelProof]
    names: Mapping[UUID, str] = field(repr=False)

    @property
    def troubled(self) -> Sequence[ChannelHealth]:
        """Return the health of each place with waiting, failed or dead messages."""
        return [one for one in self.health if _is_troubled(one)]

    @property
    def well(self) -> Sequence[ChannelHealth]:
        """Return the health of the other places."""
        return [one for one in self.health if not _is_troubled(one)]

    @property
    def letters_by_problem(self) -> Sequence[tuple[str | None, Sequence[PostedLetter]]]:
        """Return the dead letters of each class of failure, the largest class first."""
        found: dict[str | None, list[PostedLetter]] = {}
        for letter in self.letters:
            found.setdefault(letter.problem, []).append(letter)
        return sorted(found.items(), key=lambda item: -len(item[1]))

    @property
    def missed(self) -> Sequence[ChannelProof]:
        """Return the teams that missed a drill, or lost their routing by it."""
        return [one for one in self.proofs if one.suspended or one.missed]

    @property
    def answering(self) -> Sequence[ChannelProof]:
        """Return the other teams."""
        return [one for one in self.proofs if not (one.suspended or one.missed)]

    @property
    def unproved(self) -> int:
        """Return how many of the others never answered a drill."""
        return sum(one.proved_on is None for one in self.answering)


def delivery() -> Delivery:
    """Return the state of delivery at the worker's last count: trouble first, then by name."""
    with desk().reading() as session:
        names = _names(session)
        return Delivery(
            channels=channel_states(session),
            health=sorted(
                channel_health(session), key=lambda one: (not _is_troubled(one), *_named(names, one))
            ),
            letters=dead_letters.posted_letters(session),
            proofs=sorted(channel_proofs(session), key=lambda one: (not one.suspended, -one.missed)),
            names=names,
        )


def choose(message_id: UUID, wish: Wish) -> None:
    """Choose the action for a dead letter; a worker takes it.

    Raises `NotFound`, `ChosenAlready`, and `NoAddressNow` when its address is gone.
    """
    with operation() as choosing:
        row = dead_letters.choose(choosing.session, message_id, wish)
        if row is None:
            raise NotFound
        if row.wanted != wish:
            raise ChosenAlready
        if wish is Wish.AGAIN and row.standing != SAME:
            raise NoAddressNow
        _record(choosing, row, wish)


def choose_cause(problem: str) -> int:
    """Choose "again" for the dead letters of one cause that can be sent; return how many."""
    with operation() as choosing:
        rows = dead_letters.choose_again(choosing.session, problem)
        for row in rows:
            _record(choosing, row, Wish.AGAIN)
        return len(rows)


def can_be_chosen(letters: Sequence[PostedLetter]) -> int:
    """Return how many of these letters can be sent again and have no choice yet."""
    return sum(letter.wanted is None and letter.standing == SAME for letter in letters)


def _record(choosing: Operation, row: PostedLetter, wish: Wish) -> None:
    choosing.record(
        AuditAction.ORGANISATION_CHANGED,
        subject_id=row.message_id,
        organisation_id=row.organisation_id,
        ground=Ground.DEAD_LETTER.of(wish),
    )


def _is_troubled(health: ChannelHealth) -> bool:
    return bool(health.dead or health.waiting or health.last_problem)


def _named(names: Mapping[UUID, str], health: ChannelHealth) -> tuple[str, str]:
    found = names.get(health.organisation_id, "") if health.organisation_id else ""
    return found, health.channel


def _names(session: Session) -> dict[UUID, str]:
    return {row.id: row.name for row in session.execute(select(Organisation.id, Organisation.name))}
