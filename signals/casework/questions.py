"""Ask at a conclusion only for what is missing. The page shows these questions; `conclude` requires them."""

from enum import StrEnum
from typing import Final

from signals.casework.referral import notified_by_sender
from signals.errors import FieldProblem
from signals.models import Signal
from signals.vocabulary import OUTCOME_GROUPS, ContactBy, DeferralReason, NotifiedBy, Outcome

NOT_SO: Final = frozenset(outcome for outcome, group in OUTCOME_GROUPS.items() if group == "void")
"""Outcomes of a signal that was about nobody, or about what another signal is about."""
SPOKEN: Final = frozenset(Outcome) - NOT_SO - {Outcome.NOT_REACHED}
"""Outcomes after which a worker normally spoke with the resident."""
_ONLY_SPOKEN: Final = frozenset({Outcome.TALK_SUFFICED, Outcome.HELP_ACCEPTED, Outcome.HELP_DECLINED})


class Question(StrEnum):
    """A question that a conclusion may ask; the codes are the fields of the API and the page."""

    REFERRED_TO = "referred_to"
    CONTACT_BY = "contact_by"
    NEWLY_KNOWN = "newly_known"
    NOTIFIED_BY = "notified_by"


def questions_of(outcome: Outcome) -> frozenset[Question]:
    """Return what goes with an outcome, whatever is recorded already."""
    asked = set()
    if outcome in (Outcome.REFERRED, Outcome.ESCALATED):
        asked.add(Question.REFERRED_TO)
    if outcome in SPOKEN:
        asked.add(Question.CONTACT_BY)
    if outcome in SPOKEN - {Outcome.ALREADY_KNOWN}:
        asked.add(Question.NEWLY_KNOWN)
    if outcome not in NOT_SO:
        asked.add(Question.NOTIFIED_BY)
    return frozenset(asked)


def missing(signal: Signal, outcome: Outcome) -> frozenset[Question]:
    """Return what a conclusion with this outcome asks: nothing that is recorded already.

    A resident who was told before a referral was told of another organisation.
    """
    recorded = set()
    if signal.first_contact_at is not None:
        recorded.add(Question.CONTACT_BY)
    told = signal.notified_on is not None and not notified_by_sender(signal)
    if told or signal.deferred_because is not None:
        recorded.add(Question.NOTIFIED_BY)
    return questions_of(outcome) - recorded


def problems_with(
    signal: Signal,
    outcome: Outcome,
    *,
    contact_by: ContactBy | None,
    newly_known: bool | None,
    notified_by: NotifiedBy | None,
    deferred_because: DeferralReason | None,
    asks: bool = True,
) -> list[FieldProblem]:
    """Return a problem for each answer that is missing, contradicts another, or was not asked.

    `newly_known` is optional: not every worker knows it. A resident who is already known is not newly known.
    Without `asks` only an outcome that takes a talk needs an answer.
    """
    asked, told = missing(signal, outcome), bool(notified_by or deferred_because)
    if not asks and Question.CONTACT_BY in asked:
        contact_by = contact_by or ContactBy.NOBODY
    met = signal.first_contact_at is not None or contact_by not in (None, ContactBy.NOBODY)
    problems = _about(Question.CONTACT_BY in asked, Question.CONTACT_BY, contact_by is not None)
    if contact_by is ContactBy.NOBODY and outcome in _ONLY_SPOKEN:
        problems.append(FieldProblem(field=Question.CONTACT_BY, code="takes_a_talk"))
    problems += _about(Question.NOTIFIED_BY in asked and (asks or told), Question.NOTIFIED_BY, told)
    if notified_by and deferred_because:
        problems.append(FieldProblem(field=Question.NOTIFIED_BY, code="exactly_one"))
    is_told = newly_known is not None and (newly_known or outcome is not Outcome.ALREADY_KNOWN)
    if is_told and not (met and Question.NEWLY_KNOWN in asked):
        problems.append(FieldProblem(field=Question.NEWLY_KNOWN, code="not_asked"))
    return problems


def _about(is_asked: bool, question: Question, is_answered: bool) -> list[FieldProblem]:
    if is_asked == is_answered:
        return []
    return [FieldProblem(field=question, code="required" if is_asked else "not_asked")]
