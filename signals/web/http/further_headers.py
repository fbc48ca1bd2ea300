"""Headers that each answer of a call has: `headers` adds them last, without werkzeug's checks of each."""

from typing import Final

FURTHER: Final = "signals.headers"
"""The key of these headers, (name, value) each, in a request's environment; they replace the usual ones."""
