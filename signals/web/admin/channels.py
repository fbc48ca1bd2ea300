"""What the API and the page about delivery both show and do; never a recipient or what a message says."""

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
from signals.notices.drills import ChannelProof, channel_proofs
from signals.vocabulary import AuditAction
from signals.web.staff_kit.auth import current
from signals.web.staff_kit.context import desk

LEAST = 10
"""A smaller number of messages that wait is not told: of one team it would be a number of signals."""


FEW = 5
"""More dead letters than this are told by their cause, each to be opened."""


class ChosenAlready(Conflict):
    """Somebody chose already what becomes of this message."""

    code = "chosen_already"


class NoAddressNow(Conflict):
    """Its recipient has no confirmed address by now."""

    code = "no_address_now"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How delivery goes; `names` of the organisations in it, by id."""

    channels: Sequence[ChannelState]
    health: Sequence[ChannelHealth]
    letters: Sequence[PostedLetter]
    proofs: Sequence[ChannelProof]
    names: Mapping[UUID, str] = field(repr=False)

    @property
    def troubled(self) -> Sequence[ChannelHealth]:
        """Where something waits, failed or was given up."""
        return [one for one in self.health if _is_troubled(one)]

    @property
    def well(self) -> Sequence[ChannelHealth]:
        """The others."""
        return [one for one in self.health if not _is_troubled(one)]

    @property
    def letters_by_problem(self) -> Sequence[tuple[str | None, Sequence[PostedLetter]]]:
        """The dead letters of each class of failure, the most first."""
        found: dict[str | None, list[PostedLetter]] = {}
        for letter in self.letters:
            found.setdefault(letter.problem, []).append(letter)
        return sorted(found.items(), key=lambda item: -len(item[1]))

    @property
    def missed(self) -> Sequence[ChannelProof]:
        """Teams that missed a drill, or lost their routing by it."""
        return [one for one in self.proofs if one.suspended or one.missed]

    @property
    def answering(self) -> Sequence[ChannelProof]:
        """The others."""
        return [one for one in self.proofs if not (one.suspended or one.missed)]

    @property
    def unproved(self) -> int:
        """How many of these never answered one yet."""
        return sum(one.proved_on is None for one in self.answering)


def delivery() -> Delivery:
    """All that there is to see, as of the worker's last count: trouble first, then by name."""
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


def settle(message_id: UUID, wish: Wish) -> None:
    """Choose what becomes of a dead letter; a worker does it.

    Raises `NotFound`, `ChosenAlready`, and `NoAddressNow` for one that nobody would get.
    """
    with desk().sessions.begin() as session:
        row = dead_letters.choose(session, message_id, wish)
        if row is None:
            raise NotFound
        if row.wanted != wish:
            raise ChosenAlready
        if wish is Wish.AGAIN and row.standing != SAME:
            raise NoAddressNow
        _record(session, row, wish)


def settle_cause(problem: str) -> int:
    """Let all of one cause be sent again, as far as that can be; gives how many a worker will send."""
    with desk().sessions.begin() as session:
        rows = dead_letters.choose_again(session, problem)
        for row in rows:
            _record(session, row, Wish.AGAIN)
        return len(rows)


def can_be_chosen(letters: Sequence[PostedLetter]) -> int:
    """How many of these can be sent again, and nobody chose yet what becomes of them."""
    return sum(letter.wanted is None and letter.standing == SAME for letter in letters)


def _record(session: Session, row: PostedLetter, wish: Wish) -> None:
    context = desk()
    context.audit.record(
        session,
        context.clock,
        actor=current().actor,
        action=AuditAction.ORGANISATION_CHANGED,
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
