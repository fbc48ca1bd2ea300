"""Test that notes are sealed and only the team reads them."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from signals import casework
from signals.casework.sealing import open_notes
from signals.errors import Conflict, ContentGone, Invalid
from signals.models import FollowUpNote
from tests.casework.states import CONCLUDED, code_of
from tests.support.desk_fixtures import By, PlainKeys, Team


def test_a_note_is_stored_sealed_and_opens_again(
    session: Session, team: Team, by: By, keys: PlainKeys
) -> None:
    signal = team.signal()
    made = casework.add_note(by(team.colleague), signal_id=signal.id, text="  Buurvrouw gesproken.  ")
    session.flush()
    assert b"Buurvrouw" not in made.sealed_text
    assert signal.version == 2
    (opened,) = open_notes(keys, signal)
    assert (opened.text, opened.written_by_id) == ("Buurvrouw gesproken.", team.colleague.id)
    assert "Buurvrouw" not in repr(opened)


def test_notes_of_any_length_up_to_a_few_hundred_letters_look_alike(
    session: Session, team: Team, by: By
) -> None:
    signal = team.signal()
    for words in ("Ja.", "Niet thuis. " * 30):
        casework.add_note(by(team.worker), signal_id=signal.id, text=words)
    session.flush()
    assert len({len(note.sealed_text) for note in session.scalars(select(FollowUpNote))}) == 1


@pytest.mark.parametrize(("words", "code"), [("   ", "required"), ("a" * 4001, "too_long")])
def test_a_note_must_say_something_and_not_too_much(team: Team, by: By, words: str, code: str) -> None:
    signal = team.signal()
    with pytest.raises(Invalid) as refused:
        casework.add_note(by(team.worker), signal_id=signal.id, text=words)
    assert code_of(refused) == ("text", code)


def test_a_concluded_signal_takes_no_more_notes(team: Team, by: By) -> None:
    signal = team.signal(CONCLUDED)
    with pytest.raises(Conflict):
        casework.add_note(by(team.worker), signal_id=signal.id, text="Nog iets.")


def test_without_the_case_key_notes_can_neither_be_written_nor_read(
    by: By, team: Team, keys: PlainKeys
) -> None:
    signal = team.signal()
    casework.add_note(by(team.worker), signal_id=signal.id, text="Een.")
    keys.gone.add(signal.case_key_id)
    with pytest.raises(ContentGone):
        casework.add_note(by(team.worker), signal_id=signal.id, text="Twee.")
    with pytest.raises(ContentGone):
        open_notes(keys, signal)
