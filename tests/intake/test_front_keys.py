"""All fronts have one secret: another one is refused, and two count while it is replaced."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from privacy.secret_files import load_master_key, write_new_secret_file
from signals.errors import KeyReused
from signals.intake.front_keys import FrontKeyRefused
from signals.intake.receiving import Intake
from signals.models import FrontKey
from signals.operations.server import _refuse_unusable_secrets
from signals.vocabulary import ProcessRole
from tests.support.world import World, key, report


@pytest.fixture
def new(tmp_path: Path) -> Path:
    write_new_secret_file(tmp_path / "new.key")
    return tmp_path / "new.key"


def _receipt(world: World, intake: Intake, number: int) -> str:
    return intake.receive(world.clock, key=key(number), report=report()).receipt


def test_a_front_with_another_secret_takes_no_report_and_does_not_start(world: World, new: Path) -> None:
    _receipt(world, world.intake(), 1)
    with pytest.raises(FrontKeyRefused):
        _receipt(world, replace(world.intake(), front_secret=load_master_key(new)), 1)
    assert len(world.sealed()) == 1
    front = replace(world.settings.front, secret_file=new)
    with pytest.raises(SystemExit, match="not the secret of the other fronts"):
        _refuse_unusable_secrets(replace(world.settings, role=ProcessRole.FRONT, front=front))
    _refuse_unusable_secrets(replace(world.settings, role=ProcessRole.FRONT))


def test_both_secrets_recognise_a_retry_while_one_replaces_the_other(world: World, new: Path) -> None:
    former, latter = load_master_key(world.settings.front.secret_file), load_master_key(new)
    before = replace(world.intake(), front_secret=former, other_secret=latter)
    after = replace(world.intake(), front_secret=latter, other_secret=former)
    first = _receipt(world, before, 1)
    assert _receipt(world, after, 1) == first
    second = _receipt(world, after, 2)
    assert _receipt(world, before, 2) == second != first
    with pytest.raises(KeyReused):
        after.receive(world.clock, key=key(2), report=report(noticed_on=world.clock.now().date()))
    assert len(world.sealed()) == 2
    for alone in (former, latter):
        with pytest.raises(FrontKeyRefused):
            _receipt(world, replace(world.intake(), front_secret=alone), 3)


def test_the_former_secret_counts_for_seven_days_and_never_again(world: World, new: Path) -> None:
    former, latter = load_master_key(world.settings.front.secret_file), load_master_key(new)
    _receipt(world, world.intake(), 1)
    _receipt(world, replace(world.intake(), front_secret=latter, other_secret=former), 2)
    world.move(days=7)
    world.worker().provision_keys()
    _receipt(world, replace(world.intake(), front_secret=latter), 3)
    with pytest.raises(FrontKeyRefused):
        _receipt(world, replace(world.intake(), front_secret=former, other_secret=latter), 4)
    assert world.rows(select(FrontKey.generation).order_by(FrontKey.generation)) == [1, 2]
