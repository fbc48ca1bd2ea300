"""Answers to the questions of a conclusion, for tests that are about something else."""

from typing import Any, Final

from signals.vocabulary import ContactBy, NotifiedBy

TOLD: Final[dict[str, Any]] = {"notified_by": NotifiedBy.IN_PERSON}
"""The resident was told (art. 14 AVG)."""
TALKED: Final[dict[str, Any]] = {"contact_by": ContactBy.VISIT, **TOLD}
"""A worker also spoke with the resident, which nobody recorded yet."""
