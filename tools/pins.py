"""Pin what pyproject.toml and package.json ask for in the lock files: `make lock`.

UPGRADE=1 takes the newest versions; BEFORE=2026-11-18 takes none that are younger.
"""

import os
import subprocess
import sys
from pathlib import Path

from tools import environment, front_end

UV_HOME = environment.CACHE / "uv"
UV = UV_HOME / "bin/uv"
COMPILE = (
    *("pip", "compile", "pyproject.toml", "--quiet", "--universal", "--python-version", "3.11"),
    *("--generate-hashes", "--no-emit-index-url", "--no-annotate", "--no-header"),
)


def main() -> None:
    """Write both lock files of Python, then that of npm."""
    if not UV.exists():
        subprocess.run([sys.executable, "-m", "venv", UV_HOME], check=True)
        subprocess.run([UV_HOME / "bin/python", "-m", "pip", "--quiet", "install", "uv"], check=True)
    runtime, developer = environment.RUNTIME_LOCK, environment.DEVELOPER_LOCK
    pin(runtime)
    pin(developer, "--extra", "dev", "--constraint", str(runtime))
    upgrade = ["update"] if os.environ.get("UPGRADE") else ["install"]
    subprocess.run([*front_end.npm_command(), *upgrade, "--package-lock-only"], check=True)


def pin(lock: Path, *options: str) -> None:
    """Write one lock file, without the options that name the addresses of a package index."""
    choice = ["--upgrade"] if os.environ.get("UPGRADE") else []
    if before := os.environ.get("BEFORE"):
        choice += ["--exclude-newer", before]
    subprocess.run([UV, *COMPILE, *choice, "--output-file", lock, *options], check=True)
    lines = lock.read_text().splitlines(keepends=True)
    lock.write_text("".join(line for line in lines if not line.startswith("--")))


if __name__ == "__main__":
    main()
