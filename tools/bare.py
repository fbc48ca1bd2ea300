"""Try `make run` and `make test` on bare Debian systems, and print a table: `make bare` as root.

Each trial gets a fresh root of debootstrap with make and Python only, and the files of the last commit.
It takes the package mirrors, proxies and certificates of this machine. ARGS='--only run' leaves out tests.
"""

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.failing import Failed, say

RELEASES = {"bookworm": "Debian 12, Python 3.11", "trixie": "Debian 13, Python 3.13"}
ACCOUNTS = ("root", "guest")
PACKAGES = "make,python3,python3-venv,ca-certificates"
ROOTS = Path(".cache/bare")
IN_ROOT = Path("tools/in_root.sh").absolute()
PATIENCE = 600
"""Seconds for the first start."""

MACHINE_FILES = (
    *("/etc/pip.conf", "/etc/xdg/pip", "/etc/npmrc", "/etc/apt/apt.conf.d", "/etc/apt/auth.conf.d"),
    "/etc/ssl/certs/ca-certificates.crt",
)
"""Settings of the package clients, without addresses of this machine in the repository."""

HOME_FILES = (".npmrc", ".config/pip", ".pip")
MACHINE_NAMES = re.compile("cert|_ca_|proxy|^pip_|^npm_config_", re.IGNORECASE)
HEAD = (
    "| system | account | `make run` | folder | second start | `make test` |",
    "| --- | --- | --- | --- | --- | --- |",
)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One account on one fresh root."""

    release: str
    account: str

    @property
    def root(self) -> Path:
        return (ROOTS / f"{self.release}-{self.account}").absolute()

    @property
    def home(self) -> str:
        return "/root" if self.account == "root" else f"/home/{self.account}"

    @property
    def folder(self) -> Path:
        return self.root / self.home.lstrip("/") / "signals"

    def start(self, *command: str, account: str = "") -> "subprocess.Popen[str]":
        """Start a command in the folder, as the account of this trial."""
        names = {name: value for name, value in os.environ.items() if MACHINE_NAMES.search(name)}
        return subprocess.Popen(
            [IN_ROOT, self.root, account or self.account, f"{self.home}/signals", *command],
            env={**names, "HOME": self.home, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str, account: str = "") -> tuple[int, str]:
        """Return the exit code and the output of a command."""
        process = self.start(*command, account=account)
        said, _ = process.communicate()
        return process.returncode, said


def main(arguments: Sequence[str]) -> int:
    """Print a line of the table for each trial; return 1 when one of them failed."""
    options = _parser().parse_args(arguments)
    try:
        _require_tools()
        for release in options.release:
            make_base(release)
        rows = []
        for trial in (Trial(release=r, account=a) for r in options.release for a in options.account):
            say(f"trying {RELEASES[trial.release]} as {trial.account}")
            rows.append(attempt(trial, options.only, options.tests))
    except Failed as failed:
        say(str(failed))
        return 1
    print(*HEAD, *rows, sep="\n")
    return int(any("failed" in row for row in rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bare", description=__doc__)
    parser.add_argument("--only", choices=["run", "test"])
    parser.add_argument("--tests", default="", help="arguments of pytest; all tests without them")
    parser.add_argument("--release", nargs="*", choices=list(RELEASES), default=list(RELEASES))
    parser.add_argument("--account", nargs="*", choices=ACCOUNTS, default=list(ACCOUNTS))
    return parser


def _require_tools() -> None:
    missing = [name for name in ("debootstrap", "unshare", "git") if not shutil.which(name)]
    if os.geteuid() != 0 or missing:
        raise Failed(
            "This trial runs as root, and needs debootstrap, git and util-linux:"
            " apt-get install debootstrap git util-linux"
        )


def make_base(release: str) -> None:
    """Make a root with the few packages, once for each release."""
    base = ROOTS / release
    if (base / "usr/bin/make").exists():
        return
    shutil.rmtree(base, ignore_errors=True)
    debootstrap(base, release, PACKAGES)
    mirrors = list(_mirrors())
    mirror = [address for address in mirrors if "security" not in address][:1]
    security = [address for address in mirrors if "security" in address][:1]
    suites = [(address, release) for address in mirror] + [(one, f"{release}-security") for one in security]
    lines = [f"deb {address} {suite} main\n" for address, suite in suites]
    (base / "etc/apt/sources.list").write_text("".join(lines) or f"deb {_usual(base)} {release} main\n")
    _take_settings(base)


def debootstrap(root: Path, release: str, packages: str) -> None:
    """Make a root of a release from the mirror of this machine. Raises `Failed`."""
    root.mkdir(parents=True)
    say(f"making a root of {RELEASES[release]}")
    mirror = [address for address in _mirrors() if "security" not in address][:1]
    command = ["debootstrap", "--variant=minbase", f"--include={packages}", release, str(root), *mirror]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{done.stdout[-2000:]}\ndebootstrap could not make {root}: see above.")


def _mirrors() -> Iterator[str]:
    """Yield the addresses that apt of this machine uses for Debian."""
    apt = Path("/etc/apt")
    for file in (apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))):
        text = file.read_text() if file.is_file() else ""
        yield from re.findall(r"^(?:URIs:|deb(?:\s+\[.*?\])?)\s+(https?://\S+)", text, re.MULTILINE)


def _usual(base: Path) -> str:
    return (base / "etc/apt/sources.list").read_text().split()[1]


def _take_settings(base: Path) -> None:
    """Copy how the package clients of this machine reach their registries."""
    copies = [(Path(name), base / name.lstrip("/")) for name in MACHINE_FILES]
    homes = (base / "root", base / "etc/skel")
    copies += [(Path.home() / name, home / name) for name in HOME_FILES for home in homes]
    for source, target in copies:
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif source.exists():
            shutil.copy(source, target)


def attempt(trial: Trial, only: str | None, tests: str) -> str:
    """Return the line of the table for one trial."""
    unpack(trial)
    cells = [RELEASES[trial.release], "a user" if trial.account == "guest" else trial.account]
    cells += try_running(trial) if only != "test" else ["", "", ""]
    cells.append(try_testing(trial, tests) if only != "run" else "")
    return f"| {' | '.join(cells)} |"


def unpack(trial: Trial) -> None:
    """Make a fresh root with the last commit in the home of the account."""
    shutil.rmtree(trial.root, ignore_errors=True)
    subprocess.run(["cp", "-a", ROOTS / trial.release, trial.root], check=True)
    if trial.account != "root":
        subprocess.run(["chroot", trial.root, "useradd", "--create-home", trial.account], check=True)
    trial.folder.mkdir()
    archive = subprocess.run(["git", "archive", "HEAD"], stdout=subprocess.PIPE, check=True).stdout
    subprocess.run(["tar", "x", "-C", trial.folder], input=archive, check=True)
    owner = f"{trial.account}:{trial.account}"
    subprocess.run(["chroot", trial.root, "chown", "-R", owner, f"{trial.home}/signals"], check=True)


def try_running(trial: Trial) -> list[str]:
    """Return how long the first and the second start take, and the size of the folder between them."""
    first = seconds_to_serve(trial)
    megabytes = subprocess.run(["du", "-sm", trial.folder], capture_output=True, text=True, check=True).stdout
    return [first, f"{megabytes.split()[0]} MB", seconds_to_serve(trial)]


def seconds_to_serve(trial: Trial) -> str:
    """Start `make run`, wait until it is ready, and end it as Ctrl-C does."""
    port = _free_port()
    started = time.monotonic()
    process = trial.start("make", "run", f"PORT={port}")
    ready = False
    while not ready and process.poll() is None and time.monotonic() < started + PATIENCE:
        time.sleep(0.1)
        ready = _answers(port)
    seconds = time.monotonic() - started
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    if not ready:
        say(said)
    return f"{seconds:.0f} s" if ready else "failed"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
    except OSError:
        return False
    return True


def try_testing(trial: Trial, tests: str) -> str:
    """Return the last words of pytest. A user finds the Chromium that root installed."""
    if trial.account != "root":
        _, said = trial.run("make", "chromium", f"ARGS={tests}")
        say(said.strip())  # the line that names the command
        trial.run("make", "chromium", f"ARGS={tests}", account="root")
    code, said = trial.run("make", "test", f"ARGS={tests}")
    (ROOTS / f"{trial.release}-{trial.account}.log").write_text(said)
    counted = re.findall(r"(\d+ passed.*? in [\d.]+s|.*\d+ failed.*? in [\d.]+s).*$", said, re.MULTILINE)
    return f"{'' if code == 0 else 'failed: '}{counted[-1] if counted else said.strip()[-200:]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
