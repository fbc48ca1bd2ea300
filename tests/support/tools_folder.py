"""Copy the project's tools to a folder of the test, with stand-ins for parts that need a network."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

PRETEND = '#!/bin/sh\necho "$(basename "$0")" "$@" >> \'{calls}\'\n'

_OUTSIDE = {name: text for name, text in os.environ.items() if name != "ARGS" and "MAKE" not in name}
"""Without what a `make test ARGS=...` around the tests says to each make within them."""


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder with the Makefile and its tools; `calls` lists the stand-ins that were called."""

    path: Path
    programs: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def calls(self) -> list[str]:
        file = self.programs / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def stand_in(self, path: str | Path, script: str = "") -> Path:
        """Put a program in place of a real one: it notes its call and runs a script."""
        program = self.programs / path
        program.parent.mkdir(parents=True, exist_ok=True)
        program.unlink(missing_ok=True)
        program.write_text(PRETEND.format(calls=self.programs / "calls") + script)
        program.chmod(0o755)
        return program

    def pretend_installed(self) -> None:
        """Make all that an installation leaves, so that nothing has to be fetched."""
        scripts = self.path / ".venv/bin"
        scripts.mkdir(parents=True)
        (scripts / "pip").write_text(f"#!{scripts}/python\n")
        (scripts / "python").symlink_to(sys.executable)
        self.stand_in(scripts / "signals")
        vendor = self.path / "signals/web/static/vendor"
        vendor.mkdir(parents=True)
        (self.path / "signals/web/assets.py").touch()
        for stamp in (self.path / ".venv/.runtime", vendor / ".copied"):
            stamp.touch()

    def start(self, *command: str, **environ: str) -> "subprocess.Popen[str]":
        """Start a command in the folder, with the stand-ins first on the PATH."""
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        return subprocess.Popen(
            command,
            cwd=self.path,
            env={**_OUTSIDE, "PATH": path, "PYTHON": sys.executable, **self.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str, **environ: str) -> tuple[int, str]:
        """Return the exit code of a command, and all that it printed."""
        process = self.start(*command, **environ)
        said, _ = process.communicate(timeout=120)
        return process.returncode, said


MakeFolder = Callable[[str], Folder]
