"""Change one signal for the signed-in caller. The pages and the API call the same two functions."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from uuid import UUID

from signals.audit.grounds import Ground
from signals.casework import add_note, correct_note, undo
from signals.casework.access import admit
from signals.casework.opening import OpenedSignal
from signals.casework.undoing import undoable
from signals.models import Signal
from signals.operation import Operation
from signals.vocabulary import AuditAction
from signals.web.staff_kit.context import operation
from signals.web.staff_kit.opened import read_opened

_Done = TypeVar("_Done")
Change = Callable[..., _Done]
"""A function of `signals.casework`: operation, `signal_id`, `expected_version` and its own values."""
_USES: Final[Mapping[Change[Any], Ground]] = {add_note: Ground.NOTE, correct_note: Ground.CORRECTED}
"""Changes that seal something under the key of the case."""


def change_signal(
    signal_id: UUID, change: Change[_Done], values: Mapping[str, Any], *, version: int | None
) -> tuple[_Done, int]:
    """Change a signal; return what the change returns and the signal's new version."""
    with operation(signal_id, uses=_USES.get(change)) as begun:
        done = _make(begun, change, signal_id=signal_id, expected_version=version, **values)
        begun.session.flush()
        return done, begun.session.get_one(Signal, signal_id).version


def change_and_open(
    signal_id: UUID, change: Change[Any], values: Mapping[str, Any], *, version: int | None, ground: Ground
) -> OpenedSignal:
    """Change a signal and open it; one transaction holds the change and the audit entry of the opening."""
    with operation(signal_id, uses=_USES.get(change)) as begun:
        _make(begun, change, signal_id=signal_id, expected_version=version, **values)
        admission = admit(begun, [signal_id], AuditAction.SIGNAL_OPENED, ground=ground)
    return read_opened(signal_id, admission)


def _make(begun: Operation, change: Change[_Done], **values: Any) -> _Done:
    """Make a change; each can be undone, except the undoing itself."""
    return change(begun, **values) if change is undo else undoable(begun, change, **values)
