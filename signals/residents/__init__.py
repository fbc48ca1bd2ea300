"""Carry out residents' rights (art. 15-18 and 21 AVG) in one organisation: find, export, correct, erase.

Start at `finding.find_by_address`. An address alone proves nothing about the person who asks, so every right
needs a `Proof` in the register.
"""

from signals.residents.erasing import REASONS, record_erasure
from signals.residents.export import RECIPIENTS, accesses_to, export_of, record_export
from signals.residents.finding import (
    Findings,
    OtherAdditions,
    find_by_address,
)
from signals.residents.rectifying import (
    MAX_STATEMENT,
    Correction,
    NoteCorrection,
    is_rectified,
    rectify,
)
from signals.residents.requests import IdentityProof, Proof, ResidenceProof, Right, register
from signals.residents.restricting import restrict

__all__ = [
    "MAX_STATEMENT",
    "REASONS",
    "RECIPIENTS",
    "Correction",
    "Findings",
    "IdentityProof",
    "NoteCorrection",
    "OtherAdditions",
    "Proof",
    "ResidenceProof",
    "Right",
    "accesses_to",
    "export_of",
    "find_by_address",
    "is_rectified",
    "record_erasure",
    "record_export",
    "rectify",
    "register",
    "restrict",
]
