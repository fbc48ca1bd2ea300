"""Send all that the description allows, and much that it does not: each answer is documented and no 5xx."""

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import schemathesis.specs.openapi.checks as conformance
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.core.control import SkipTest

from signals.db import make_engine
from signals.models import StaffMember
from signals.staff.accounts import issue_token
from signals.vocabulary import ProcessRole, Role
from tests.support.endpoints import ALLOWED, LETTERS
from tests.support.world import World, fill_another, make_world

CHECKS = [
    not_a_server_error,
    conformance.status_code_conformance,
    conformance.content_type_conformance,
    conformance.response_schema_conformance,
]
DOCUMENT = "/api/v1/openapi.json"


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def fuzzed(
    request: pytest.FixtureRequest, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_server").create_database("fuzzed")
        engine = make_engine(url)
        fill_another(engine, template)
        engine.dispose()
    world = make_world(template, tmp_path_factory.mktemp("fuzzed"), url)
    world.receive(1)
    world.worker().arrive()
    yield world
    world.close()


@pytest.fixture(scope="module")
def app(fuzzed: World) -> Flask:
    return fuzzed.app(ProcessRole.ALL)


@pytest.fixture(scope="module")
def tokens(fuzzed: World) -> dict[Role, str]:
    """A token of one member for each role."""
    made = {}
    for role in Role:
        member_id = fuzzed.staff(role=role).id
        with fuzzed.sessions.begin() as session:
            member = session.get_one(StaffMember, member_id)
            made[role] = issue_token(fuzzed.operation(session), member=member, label="fuzz")
    return made


def describe(app: Flask, mode: GenerationMode) -> Any:
    config = SchemathesisConfig(
        projects=ProjectsConfig(default=ProjectConfig(generation=GenerationConfig(modes=[mode])))
    )
    return schemathesis.openapi.from_wsgi(DOCUMENT, app, config=config)


def run(operation: Any, check: Callable[[Any], None], mode: GenerationMode, examples: int) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=examples,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=True,
        deadline=None,
    )
    def attack(case: Any) -> None:
        check(case)

    with contextlib.suppress(SkipTest):  # a call without parameters cannot be called wrongly
        attack()


def roles_for(operation: Any) -> list[Role | None]:
    """Return roles that may make the call: the service refuses others before it reads the body."""
    rule = re.sub(r"\{(\w+)\}", r"<\1>", re.sub(r"\{(\w+_id)\}", r"<uuid:\1>", operation.path))
    letters = ALLOWED[operation.method.upper(), f"/api/v1{rule}"]
    return [LETTERS.get(letter) for letter in dict.fromkeys((letters[0], letters[-1]))]


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_call_answers_as_it_is_described(
    app: Flask, tokens: dict[Role, str], mode: GenerationMode
) -> None:
    operations = [found.ok() for found in describe(app, mode).get_all_operations()]
    assert len(operations) > 15
    tried = 0
    for operation in operations:
        for role in roles_for(operation):
            headers = {"Authorization": f"Bearer {tokens[role]}"} if role else {}

            def check(case: Any, headers: dict[str, str] = headers) -> None:
                nonlocal tried
                tried += 1
                case.validate_response(case.call(headers=headers), checks=CHECKS)

            run(operation, check, mode, examples=8)
    assert tried > 5 * len(operations)


@pytest.mark.slow
def test_the_public_side_stores_nothing_of_a_refused_body(app: Flask, fuzzed: World) -> None:
    """Invalid bodies of any shape get a 4xx in problem+json and leave no row."""
    before = len(fuzzed.sealed())
    operation = describe(app, GenerationMode.NEGATIVE)["/signals"]["POST"]
    accepted = 0

    def check(case: Any) -> None:
        nonlocal accepted
        answer = case.call()
        if answer.status_code == 201:  # what only looks wrong by the description, like two equal keys
            accepted += 1
        else:
            assert 400 <= answer.status_code < 500
            assert answer.headers["content-type"][0].startswith("application/problem+json")

    run(operation, check, GenerationMode.NEGATIVE, examples=120)
    assert len(fuzzed.sealed()) - before <= accepted
