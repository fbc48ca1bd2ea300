"""Do the smallest of each act of a privacy officer."""

import uuid
from dataclasses import replace
from typing import Any

from signals.audit.log import Actor
from signals.models import Organisation
from signals.residents.erasing import record_erasure
from signals.residents.export import export_of, record_export
from signals.residents.finding import Findings, find_by_address
from signals.residents.rectifying import Correction, rectify
from signals.residents.requests import IdentityProof, Proof, ResidenceProof
from signals.vocabulary import DeletionReason
from signals.web.officer.export_schemas import ExportedSchema
from tests.support.world import AMSTERDAM, IN_AMSTERDAM, World

PROOF = Proof(
    identity=IdentityProof.SEEN_IN_PERSON, residence=ResidenceProof.LETTER_ANSWERED, third_parties=True
)
NEXT_DOOR = replace(IN_AMSTERDAM, number=14)
UPSTAIRS = replace(IN_AMSTERDAM, addition="A")


def found(world: World, actor: Actor, address: object = IN_AMSTERDAM) -> Findings:
    return world.do(actor, find_by_address, address=address)


def put_right(world: World, officer: Actor, signal_id: uuid.UUID, correction: Correction) -> None:
    world.do(officer, rectify, signal_id=signal_id, correction=correction, proof=PROOF)


def export(world: World, officer: Actor) -> dict[str, Any]:
    with world.begin(officer) as operation:
        findings = find_by_address(operation, address=IN_AMSTERDAM)
        admission = record_export(operation, findings=findings, proof=PROOF)
        organisation = operation.session.get_one(Organisation, AMSTERDAM)
    return ExportedSchema().dump(export_of(findings, admission, organisation))


def erase(world: World, officer: Actor) -> int:
    findings = found(world, officer)
    world.do(officer, record_erasure, findings=findings, proof=PROOF)
    ids = findings.signal_ids
    return world.worker().retention().purge_now(world.clock, ids, DeletionReason.ERASURE)
