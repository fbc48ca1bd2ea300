"""Explain a refusal in one plain sentence, without the text of the database."""

from collections.abc import Iterator

from sqlalchemy.exc import SQLAlchemyError

from privacy.keystore import KeystoreError
from privacy.secret_files import SecretFileRefused
from signals.db import driver_error
from signals.errors import FieldProblem, Invalid, SignalsError

_LACKS = {
    "SQLITE_BUSY": "another process is writing to it, perhaps a second start. Try again when it is done",
    "SQLITE_FULL": "the disk is full. Make room, then try again",
    "53100": "its disk is full. Make room there, then try again",
    "SQLITE_READONLY": "this account may not write to its file",
    "SQLITE_CANTOPEN": "its file cannot be opened: is the folder there, and may this account write to it?",
    "SQLITE_NOTADB": "its file is no database, or it is damaged: docs/restore.md says how to restore",
    "SQLITE_CORRUPT": "its file is damaged: docs/restore.md says how to restore",
}


def sentence_about(error: Exception) -> str | None:
    """Return one sentence about a refusal; None about an error that only a developer can explain."""
    match error:
        case Invalid():
            return f"{error} {'; '.join(map(_in_words, error.problems))}"
        case SignalsError() | KeystoreError() | SecretFileRefused():
            return str(error)
        case SQLAlchemyError():
            unknown = "is it there and migrated? See 'signals doctor'"
            lacks = next((_LACKS[code] for code in _codes(error) if code in _LACKS), unknown)
            return f"the database cannot do this ({type(driver_error(error)).__name__}): {lacks}"
    return None


def _in_words(problem: FieldProblem) -> str:
    """Return `password: This is too short. (too_short)`: the words and the code of the API."""
    from signals.web.http.messages import field_message

    return f"{problem.field}: {field_message(problem.code)} ({problem.code})"


def _codes(error: BaseException | None) -> Iterator[str]:
    """Yield for an error and its causes PostgreSQL's SQLSTATE, or the start of SQLite's code.

    On a full disk SQLite gives up the whole transaction, and then the end of a savepoint fails.
    """
    while error is not None:
        said = driver_error(error)
        name = getattr(said, "sqlite_errorname", "")
        yield getattr(said, "sqlstate", None) or "_".join(name.split("_")[:2])
        error = error.__context__
