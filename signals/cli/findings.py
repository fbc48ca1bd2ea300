"""What a look at an installation found, and what mends it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line: what was looked at, how it is, and what to do when it is not right."""

    check: str
    ok: bool
    says: str
    mend: str = ""


def guarded(check: str, look: Callable[[], Finding], mend: str) -> Finding:
    """The finding; a failure of the look itself becomes one, by its class only."""
    from sqlalchemy.exc import SQLAlchemyError

    from privacy.keystore import KeystoreError
    from privacy.secret_files import SecretFileRefused

    try:
        return look()
    except (KeystoreError, SecretFileRefused) as problem:
        return Finding(check=check, ok=False, says=str(problem), mend=mend)
    except (SQLAlchemyError, OSError) as problem:
        return Finding(check=check, ok=False, says=type(problem).__name__, mend=mend)
