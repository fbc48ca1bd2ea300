"""Notes: sealed, and read by the team alone."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from signals import casework
from signals.audit.log import AuditLog
from signals.clock import FixedClock
from signals.errors import Conflict, ContentGone, Invalid
from signals.models import FollowUpNote
from tests.casework.states import CONCLUDED, code_of
from tests.support.desk_fixtures import (
    PlainKeys,
    Team,
)


def test_a_note_is_stored_sealed_and_opens_again(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team, keys: PlainKeys
) -> None:
    signal = team.signal()
    made = casework.add_note(
        session,
        clock,
        keystore=keys,
        signal_id=signal.id,
        actor=team.colleague,
        audit=audit,
        text="  Buurvrouw gesproken.  ",
    )
    session.flush()
    assert b"Buurvrouw" not in made.sealed_text
    assert signal.version == 2
    (opened,) = casework.open_notes(keys, signal)
    assert (opened.text, opened.written_by_id) == ("Buurvrouw gesproken.", team.colleague.id)
    assert "Buurvrouw" not in repr(opened)


def test_notes_of_any_length_up_to_a_few_hundred_letters_look_alike(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team, keys: PlainKeys
) -> None:
    signal = team.signal()
    for words in ("Ja.", "Niet thuis. " * 30):
        casework.add_note(
            session,
            clock,
            keystore=keys,
            signal_id=signal.id,
            actor=team.worker,
            audit=audit,
            text=words,
        )
    session.flush()
    assert len({len(note.sealed_text) for note in session.scalars(select(FollowUpNote))}) == 1


@pytest.mark.parametrize(("words", "code"), [("   ", "required"), ("a" * 4001, "too_long")])
def test_a_note_must_say_something_and_not_too_much(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team, keys: PlainKeys, words: str, code: str
) -> None:
    signal = team.signal()
    with pytest.raises(Invalid) as refused:
        casework.add_note(
            session,
            clock,
            keystore=keys,
            signal_id=signal.id,
            actor=team.worker,
            audit=audit,
            text=words,
        )
    assert code_of(refused) == ("text", code)


def test_a_concluded_signal_takes_no_more_notes(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team, keys: PlainKeys
) -> None:
    signal = team.signal(CONCLUDED)
    with pytest.raises(Conflict):
        casework.add_note(
            session,
            clock,
            keystore=keys,
            signal_id=signal.id,
            actor=team.worker,
            audit=audit,
            text="Nog iets.",
        )


def test_without_the_case_key_notes_can_neither_be_written_nor_read(
    session: Session, clock: FixedClock, audit: AuditLog, team: Team, keys: PlainKeys
) -> None:
    signal = team.signal()
    how: dict[str, Any] = {"keystore": keys, "signal_id": signal.id, "actor": team.worker, "audit": audit}
    casework.add_note(session, clock, **how, text="Een.")
    keys.gone.add(signal.case_key_id)
    with pytest.raises(ContentGone):
        casework.add_note(session, clock, **how, text="Twee.")
    with pytest.raises(ContentGone):
        casework.open_notes(keys, signal)
