"""Residents' rights (art. 15-18 and 21 AVG) inside one organisation: find, export, mend, restrict, erase.

A resident is found by address, through the pseudonym. An address alone proves nothing (an ex-partner,
a landlord), so an export and an erasure ask for recorded proof of identity and of residence. The
register keeps that it was done, never what.
"""

from signals.residents.erasing import record_erasure
from signals.residents.export import RECIPIENTS, accesses_to, export_of, record_export
from signals.residents.finding import (
    Findings,
    OtherAdditions,
    ReferenceAnswer,
    find_by_address,
    find_by_reference,
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
    "RECIPIENTS",
    "Correction",
    "Findings",
    "IdentityProof",
    "NoteCorrection",
    "OtherAdditions",
    "Proof",
    "ReferenceAnswer",
    "ResidenceProof",
    "Right",
    "accesses_to",
    "export_of",
    "find_by_address",
    "find_by_reference",
    "is_rectified",
    "record_erasure",
    "record_export",
    "rectify",
    "register",
    "restrict",
]
