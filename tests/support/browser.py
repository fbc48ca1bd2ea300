"""Finds the Chromium of this machine and starts it the way that a closed network and root ask for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

CHROMIUM_PATHS = (
    "/usr/bin/chromium-headless-shell",  # the same engine without windows, in half the time
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
)
# Without these Chromium looks for its maker's servers at every start.
QUIET_FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # No renderer in reserve: each window took a third one, which nobody ever used.
    "--renderer-process-limit=1",
)


class ChromiumMissing(RuntimeError):
    """No Chromium on this machine: `make test` installs one on Debian; elsewhere set CHROMIUM to its path."""


def chromium_path() -> str:
    """The browser to test with: $CHROMIUM, else the first of the usual places. Raises ChromiumMissing."""
    named = os.environ.get("CHROMIUM")
    for path in [named] if named else CHROMIUM_PATHS:
        if os.access(path, os.X_OK) and Path(path).is_file():
            return path
    raise ChromiumMissing(ChromiumMissing.__doc__)


def launch_options() -> dict[str, Any]:
    """Arguments for Playwright's `chromium.launch`."""
    return {
        "executable_path": chromium_path(),
        "headless": True,
        # The tests open pages of this project only. Neither root nor a container has a sandbox.
        "chromium_sandbox": False,
        "args": list(QUIET_FLAGS),
    }
