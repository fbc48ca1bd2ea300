"""Find the Chromium that the browser tests need: `python -m tools.browser ARGS`.

ARGS are those of pytest. As root on Debian this installs Chromium; another account is told the command.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.failing import Failed, say

SHELL = Path("/usr/bin/chromium-headless-shell")
"""The same engine without windows: it takes half the time."""
NAMES = (SHELL, *map(Path, ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")))
BROWSER_TESTS = Path("tests/browser")
NO_CHROMIUM = (
    "The browser tests need Chromium: {command}"
    " (or leave them out: make test ARGS=\"-m 'not browser'\"; or name one: CHROMIUM=/path/to/chromium)"
)


def main(arguments: Sequence[str]) -> int:
    """Return the exit code: 0 when Chromium is there or no selected test needs it."""
    try:
        if needs_browser(arguments) and not find():
            install()
    except Failed as failed:
        say(str(failed))
        return 1
    return 0


def needs_browser(arguments: Sequence[str]) -> bool:
    """Return whether pytest with these arguments selects browser tests.

    Without a path it selects all. `-m` with "not browser" deselects them.
    """
    if "not browser" in " ".join(arguments):
        return False
    paths = [Path(argument.partition("::")[0]) for argument in arguments if not argument.startswith("-")]
    paths = [path for path in paths if path.exists()]
    return not paths or any(_meet(path.absolute(), BROWSER_TESTS.absolute()) for path in paths)


def _meet(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def find(names: Sequence[Path] = NAMES) -> Path | None:
    """Return the browser that $CHROMIUM names, else the first of the usual places; None without one."""
    named = os.environ.get("CHROMIUM")
    return next((path for path in ([Path(named)] if named else names) if os.access(path, os.X_OK)), None)


def install() -> None:
    """Install Chromium from Debian as root. Raises `Failed` with the command for another account."""
    if not shutil.which("apt-get"):
        raise Failed(NO_CHROMIUM.format(command="install Chromium or Chrome"))
    if os.geteuid() != 0 or os.environ.get("CHROMIUM"):
        raise Failed(NO_CHROMIUM.format(command="sudo apt-get install chromium"))
    say("installing Chromium from Debian")
    _apt("update")
    for package in (SHELL.name, "chromium"):
        if _apt("install", "-y", "--no-install-recommends", package) and find():
            return
    raise Failed(NO_CHROMIUM.format(command="apt-get install chromium (it failed just now)"))


def _apt(*arguments: str) -> bool:
    done = subprocess.run(
        ["apt-get", *arguments],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        say(done.stderr.strip())
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
