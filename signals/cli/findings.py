"""The result of one check of an installation, and how to fix it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line: the check, its result, and how to fix a problem."""

    check: str
    ok: bool
    says: str
    fix: str = ""

    def as_json(self) -> dict[str, str | bool]:
        """Return the line for programs, which read the key `mend`."""
        return {"check": self.check, "ok": self.ok, "says": self.says, "mend": self.fix}


def guarded(check: str, look: Callable[[], Finding], fix: str) -> Finding:
    """Return the finding of a check; a failed check becomes a finding that names only its class."""
    from sqlalchemy.exc import SQLAlchemyError

    from privacy.keystore import KeystoreError
    from privacy.secret_files import SecretFileRefused

    try:
        return look()
    except (KeystoreError, SecretFileRefused) as problem:
        return Finding(check=check, ok=False, says=str(problem), fix=fix)
    except (SQLAlchemyError, OSError) as problem:
        return Finding(check=check, ok=False, says=type(problem).__name__, fix=fix)
