"""The public side can store a report and read none: it has neither the code, nor the keys, nor the routes."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from signals.app import create_app
from signals.clock import SystemClock
from signals.settings import KeystoreSettings
from signals.vocabulary import ProcessRole
from tests.support.serving import ROOT, config_of
from tests.support.world import IN_AMSTERDAM, World

START = """
import json, sys
from pathlib import Path
from signals.settings import load_settings
from signals.app import create_app, make_worker, prepare_app
from signals.clock import SystemClock
settings = load_settings(Path(sys.argv[1]))
app = create_app(settings)
answer = app.test_client().post(
    "/api/v1/signals", json={"postcode": "1000AA", "house_number": 1},
    headers={"Idempotency-Key": "6f1c2b54-5d1e-4f0a-9b57-0c8f4a1d2e3f"},
)
import signals.operations.server
loader = signals.operations.server._loader(settings, prepare_app, make_worker, make_worker)
print(json.dumps({"status": answer.status_code, "modules": sorted(sys.modules)}))
"""
STAFF_SIDE = (
    "privacy.keystore",
    "privacy.keystore_schema",
    "signals.operations.jobs",
    "signals.arrival.batches",
    "signals.casework",
)


@pytest.fixture
def started_front(sqlite_world: World) -> dict[str, Any]:
    """List what a front without master key and keystore has loaded after its first report."""
    world = sqlite_world
    world.clock.moment = _now()
    world.worker().provision_keys()
    config = world.folder / "front.toml"
    config.write_text(config_of(world, ProcessRole.FRONT, 0), encoding="utf-8")
    world.keystore.dispose()
    for name in ("master.key", "keystore.db"):
        (world.folder / name).unlink()
    done = subprocess.run(
        [sys.executable, "-c", START, str(config)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={n: v for n, v in os.environ.items() if not n.startswith("SIGNALS")},
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_a_front_without_keystore_and_master_key_takes_a_report_and_has_loaded_neither(
    started_front: dict[str, Any],
) -> None:
    assert started_front["status"] == 201
    assert set(STAFF_SIDE) & set(started_front["modules"]) == set()


def test_a_front_has_public_routes_only(sqlite_world: World) -> None:
    app = sqlite_world.app(ProcessRole.FRONT)
    paths = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/")}
    assert {"/api/v1/form", "/api/v1/coverage/lookup", "/api/v1/signals", "/api/v1/receipts/status"} <= paths
    staff = ("queue", "sessions", "me", "search", "rounds", "staff", "audit", "organisations", "residents")
    assert [path for path in paths if path.split("/")[3] in staff] == []
    assert not any("<" in path for path in paths)


def test_a_front_cannot_open_even_its_own_report(sqlite_world: World) -> None:
    receipt = sqlite_world.receive(1).receipt
    [row] = sqlite_world.sealed()
    client = sqlite_world.client()
    for name in (receipt, str(row.signal_id)):
        assert client.get(f"/api/v1/signals/{name}").status_code == 404
    answer = client.post("/api/v1/receipts/status", json={"receipt": receipt})
    assert set(answer.get_json()) == {"state", "as_of"}


def test_an_answer_tells_nothing_of_an_earlier_report_of_the_address(sqlite_world: World) -> None:
    first = sqlite_world.receive(1, IN_AMSTERDAM)
    sqlite_world.worker().arrive()
    second = sqlite_world.receive(2, IN_AMSTERDAM)
    assert replace(first, receipt="") == replace(second, receipt="")


def test_the_front_starts_though_its_settings_name_a_keystore_that_is_not_there(sqlite_world: World) -> None:
    nowhere = KeystoreSettings(
        url="sqlite:////nowhere/keystore.db", master_key_file=Path("/nowhere/master.key")
    )
    settings = replace(sqlite_world.settings, keystore=nowhere, role=ProcessRole.FRONT)
    app = create_app(settings, clock=sqlite_world.clock, engine=sqlite_world.engine)
    assert app.test_client().get("/readyz").status_code == 200


def _now() -> datetime:
    return SystemClock().now()
