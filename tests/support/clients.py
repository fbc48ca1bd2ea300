"""Programs of npm that read the API's description; `make test` installs them into `tests/clients`."""

import os
import subprocess
from pathlib import Path

from tests.support.prism import node

FOLDER = Path(__file__).resolve().parents[1] / "clients"
DUTCH_RULES = FOLDER.parents[2] / "shared/api_design_rules/linter.yaml"
"""The rules of the Dutch government, used in place where they lie beside the project; never copied."""
_PROGRAMS = {
    "openapi-ts": "@hey-api/openapi-ts/bin/run.js",
    "spectral": "@stoplight/spectral-cli/dist/index.js",
    "tsc": "typescript/bin/tsc",
}


def run(program: str | Path, *arguments: str | Path, **environment: str) -> str:
    """Return the output of a program of npm, or of a script; raise `AssertionError` when it fails."""
    script = FOLDER / "node_modules" / _PROGRAMS[program] if isinstance(program, str) else program
    done = subprocess.run(
        [node(), script, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
