"""Requests of residents that several tests make."""

import uuid
from dataclasses import replace

from signals.audit.log import Actor
from signals.residents import (
    Correction,
    Findings,
    IdentityProof,
    Proof,
    ResidenceProof,
    find_by_address,
    rectify,
)
from tests.support.world import IN_AMSTERDAM, World

PROOF = Proof(
    identity=IdentityProof.SEEN_IN_PERSON, residence=ResidenceProof.LETTER_ANSWERED, third_parties=True
)


NEXT_DOOR = replace(IN_AMSTERDAM, number=14)


def found(world: World, actor: Actor, address: object = IN_AMSTERDAM) -> Findings:
    with world.sessions.begin() as session:
        return find_by_address(
            session, world.clock, keystore=world.keystore, actor=actor, audit=world.audit, address=address
        )


def put_right(world: World, officer: Actor, signal_id: uuid.UUID, correction: Correction) -> None:
    with world.sessions.begin() as session:
        rectify(
            session,
            world.clock,
            keystore=world.keystore,
            actor=officer,
            audit=world.audit,
            signal_id=signal_id,
            correction=correction,
            proof=PROOF,
        )
