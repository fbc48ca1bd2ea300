"""Clients that two makers make from the description do the main job against a running server."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from uuid import UUID, uuid4

import pyotp
import pytest

from signals.staff.accounts import add_staff
from signals.vocabulary import Role
from tests.support.clients import DUTCH_RULES, FOLDER, run
from tests.support.desk_side import PASSWORD, QUICK
from tests.support.serving import Served, serving
from tests.support.world import AMSTERDAM, World, make_world

pytestmark = pytest.mark.slow

RULES = [
    pytest.param(path, id=path.parent.name)
    for path in (FOLDER / "spectral.yaml", DUTCH_RULES)
    if path.is_file()
]


@pytest.fixture(scope="module")
def world(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(template, tmp_path_factory.mktemp("served"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def served(world: World) -> Iterator[Served]:
    with serving(world) as running:
        yield running


@pytest.fixture(scope="module")
def description(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file with the description that the server gives."""
    path = tmp_path_factory.mktemp("description") / "openapi.json"
    with urlopen(f"http://127.0.0.1:{served.port}/api/v1/openapi.json", timeout=30) as answer:
        path.write_bytes(answer.read())
    return path


@pytest.fixture
def account(world: World) -> dict[str, str]:
    """Return what a new member of the team types to sign in."""
    email = f"{uuid4()}@example.org"
    with world.begin() as operation:
        new = add_staff(
            operation,
            organisation_id=AMSTERDAM,
            role=Role.WORKER,
            name="Anna Voorbeeld",
            email=email,
            password=PASSWORD,
            language="nl",
            hasher=QUICK,
        )
    return {"email": email, "password": PASSWORD, "totp": pyotp.TOTP(new.totp_secret).now()}


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.mark.parametrize("rules", RULES)
def test_the_linter_finds_nothing(description: Path, rules: Path) -> None:
    assert "No results" in run("spectral", "lint", "--fail-severity", "hint", "--ruleset", rules, description)


def test_a_client_in_typescript_does_the_main_job(
    served: Served, description: Path, account: dict[str, str], tmp_path: Path
) -> None:
    shutil.copy(FOLDER / "main_job.ts", tmp_path)
    run("openapi-ts", "--input", description, "--output", tmp_path / "made", "--no-log-file")
    strict = ("--strict", "--target", "es2022", "--module", "commonjs", "--lib", "es2022,dom,dom.iterable")
    run("tsc", *strict, "--outDir", tmp_path / "compiled", tmp_path / "main_job.ts")
    typed = {name.upper(): value for name, value in account.items()}
    told = run(tmp_path / "compiled/main_job.js", SITE=f"http://127.0.0.1:{served.port}", **typed)
    assert json.loads(told) == {
        "progress": "received",
        "role": "worker",
        "open": None,
        "state": "concluded",
        "outcome": "help_accepted",
        "paper": "%PDF-",
        "refused": "urn:problem:signals:state_forbids",
    }


def test_a_client_in_python_does_the_main_job(
    served: Served,
    description: Path,
    account: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    closing: ExitStack,
) -> None:
    make_python_client(description, tmp_path / "made_client")
    monkeypatch.syspath_prepend(tmp_path)
    made, models = import_module("made_client"), import_module("made_client.models")
    site = f"http://127.0.0.1:{served.port}/api/v1"
    anybody = closing.enter_context(made.Client(base_url=site))

    concern = models.ConcernType.FRAIL
    assert concern.value in [one.code for one in call("public.public_form", anybody).concern_types]
    report = models.Report(postcode="1012AB", house_number=12, concern_types=[concern])
    sent = call("public.public_receive", anybody, body=report, idempotency_key=str(uuid4()))
    asked = models.Receipt(receipt=sent.receipt)
    progress = call("public.public_receipt_status", anybody, body=asked)
    assert progress.state is models.ReceiptState.RECEIVED

    session = call("staff.staff_open_session", anybody, body=models.SignIn(**account))
    anna = closing.enter_context(made.AuthenticatedClient(base_url=site, token=session.token))
    assert (session.role, session.organisation.id) == (models.Role.WORKER, AMSTERDAM)
    found = arrived(anna, models)
    claimed = call("staff.staff_claim", anna, signal_id=found.id, if_match=f'"{found.version}"')
    assert (claimed.state, claimed.outcome) == (models.SignalState.CLAIMED, None)
    attempt = models.Attempt(
        kind=models.AttemptKind.VISIT, result=models.AttemptResult.CONTACT, attempted_at=datetime.now(UTC)
    )
    call("staff.staff_record_attempt", anna, signal_id=found.id, body=attempt)
    ending = models.Conclude(
        outcome=models.Outcome.HELP_ACCEPTED, newly_known=True, notified_by=models.NotifiedBy.IN_PERSON
    )
    concluded = call("staff.staff_conclude", anna, signal_id=found.id, body=ending)
    assert concluded.outcome is models.Outcome.HELP_ACCEPTED
    assert call("handover.handover_as_pdf", anna, signal_id=found.id).payload.read(5) == b"%PDF-"
    refused = call("staff.staff_claim", anna, signal_id=found.id)
    assert (refused.status, refused.type_) == (409, "urn:problem:signals:state_forbids")


def make_python_client(description: Path, folder: Path) -> None:
    """Make a package; a part of the description that the maker does not understand is a failure."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning"),
            *("--path", description, "--output-path", folder, "--meta", "none"),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def call(name: str, client: Any, signal_id: UUID | None = None, **values: Any) -> Any:
    """Make a call by its module's name; return what the client makes of the answer."""
    subject = (signal_id,) if signal_id else ()
    return import_module(f"made_client.api.{name}").sync(*subject, client=client, **values)


def arrived(client: Any, models: Any) -> Any:
    """Return the first new signal, once it arrives."""
    deadline = time.monotonic() + 20
    while not (items := call("staff.staff_queue", client, state=models.QueueState.NEW).items):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return items[0]
