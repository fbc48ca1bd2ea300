"""The virtual environment .venv: made anew where it is broken, and filled from the lock files by hash."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tools.failing import Failed, say

VENV = Path(".venv")
PYTHON = VENV / "bin/python"
CACHE = Path(".cache")
RUNTIME_LOCK, DEVELOPER_LOCK = Path("requirements.lock"), Path("requirements-dev.lock")
RUNTIME_STAMP, DEVELOPER_STAMP = VENV / ".runtime", VENV / ".dev"
VERSION = "import sys; print(sys.version)"


def prepare(*, developer: bool) -> None:
    """Make the environment where it is missing or stale, and install the product, with its tools if asked."""
    if not is_healthy():
        make()
    if developer:
        _install([DEVELOPER_LOCK, RUNTIME_LOCK], DEVELOPER_STAMP, "the product and its tools")
    else:
        _install([RUNTIME_LOCK], RUNTIME_STAMP, "the product")


def is_healthy() -> bool:
    """Return whether .venv works in this folder, and is of the Python that $PYTHON names."""
    try:
        scripts_know_this_folder = f"{Path.cwd() / VENV}/" in (VENV / "bin/pip").read_text()
        version = subprocess.run([PYTHON, "-c", VERSION], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return scripts_know_this_folder and (
        not os.environ.get("PYTHON") or version.stdout.strip() == sys.version.strip()
    )


def make() -> None:
    """Make an empty environment with the Python that runs this."""
    shutil.rmtree(VENV, ignore_errors=True)
    say(f"making {VENV} with Python {sys.version.split()[0]}")
    if subprocess.run([sys.executable, "-m", "venv", VENV], check=False).returncode:
        raise Failed(f"Python could not make {VENV}: see above. Is the disk full?")


def is_current(stamp: Path, inputs: Iterable[Path]) -> bool:
    """Return whether a stamp exists and is as new as every input."""
    return stamp.exists() and all(one.stat().st_mtime <= stamp.stat().st_mtime for one in inputs)


def run(*arguments: str | Path) -> None:
    """Run the Python of the environment. Raises `Failed`; the program says the reason."""
    if subprocess.run([PYTHON, *arguments], check=False).returncode:
        raise Failed(f"{' '.join(map(str, arguments))} failed: see above.")


def install_locked(name: str, *options: str | Path) -> None:
    """Install one entry of the developers' lock file, by its hash."""
    CACHE.mkdir(exist_ok=True)
    file = CACHE / f"{name}.lock"
    file.write_text(locked_entry(DEVELOPER_LOCK.read_text(), name))
    pip(*options, "--require-hashes", "-r", file)


def locked_entry(lock: str, name: str) -> str:
    """Return the lines of a lock file that pin one package. Raises `KeyError`."""
    for entry in lock.replace("\\\n", "\0").splitlines():
        if entry.startswith(f"{name}=="):
            return entry.replace("\0", "\\\n") + "\n"
    raise KeyError(name)


def pip(*arguments: str | Path) -> None:
    """Run `pip install` in the environment. Raises `Failed` with advice about the network."""
    options = {"PIP_RETRIES": "2", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    command = [PYTHON, "-m", "pip", "--quiet", "--no-input", "install", *arguments]
    if subprocess.run(command, env={**options, **os.environ}, check=False).returncode:
        raise Failed(
            "pip could not install the packages: see above. The first start needs a network and a Python"
            " package index.\nBehind a proxy with a certificate of its own: PIP_CERT=/path/to/ca.pem make run"
        )


def _install(locks: list[Path], stamp: Path, words: str) -> None:
    if is_current(stamp, [*locks, Path("pyproject.toml")]):
        return
    say(f"installing {words} ({locks[0]})")
    # Without bytecode: that of all modules takes 125 MB, and most of them are never imported.
    pip("--no-compile", "--require-hashes", "-r", locks[0])
    # Without build isolation: that fetches a setuptools that no lock file pins.
    install_locked("setuptools", "--no-compile", "--no-deps")
    pip("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--editable", ".")
    run("-m", "tools.bytecode")
    for one in {stamp, RUNTIME_STAMP}:
        one.touch()
