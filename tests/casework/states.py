"""Share states, days and small helpers between the tests of casework."""

import pytest

from signals.errors import Invalid
from signals.vocabulary import SignalState
from tests import factories

NEW, CLAIMED, IN_FOLLOW_UP, CONCLUDED, SET_ASIDE = SignalState

DAY = factories.EPOCH_DAY


def code_of(refused: pytest.ExceptionInfo[Invalid]) -> tuple[str, str]:
    (problem,) = refused.value.problems
    return problem.field, problem.code
