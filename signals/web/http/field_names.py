"""Names of fields as we may say them again: an unknown one is the sender's text, and may be an address."""

import re
from typing import Final

_OURS: Final = re.compile(r"Idempotency-Key|[a-z][a-z_]{0,39}|[0-9]{1,2}")
"""Our own names, and places in lists. Neither a postcode nor a house number can pass for one."""
_DEEPEST: Final = 4


def said_again(*path: str) -> str:
    """`recipients.0.address` for its steps; empty for what cannot be a name of ours."""
    return ".".join(path) if len(path) <= _DEEPEST and all(_OURS.fullmatch(step) for step in path) else ""
