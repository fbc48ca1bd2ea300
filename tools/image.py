"""Build the image of docs/deploy/Containerfile, and run its four roles: `make image` as root.

The base comes from debootstrap, and the image from buildah; both are packages of Debian. Nothing of this
machine (mirrors, proxies, certificates) is in it: wheels are fetched here, and installed there offline.
"""

import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.bare import debootstrap
from tools.failing import Failed, say

MOST_MB = 250
RELEASE, PYTHON = "trixie", "3.13"
ROLES = {"worker": "work", "desk": "serve", "front": "serve", "issuer": "serve"}
FOLDER = Path(".cache/image").absolute()
BUILD, BASE, CONTEXT = FOLDER / "build", FOLDER / "base", FOLDER / "context"
CONTAINERFILE = Path("docs/deploy/Containerfile")
NAMES = "localhost/signals-build", "localhost/signals-base", "localhost/signals"
ACCOUNT = 10001
PATIENCE = 300
"""Seconds until a role is healthy."""

BUILDAH = (
    *("buildah", "--root", str(FOLDER / "storage"), "--runroot", str(FOLDER / "run")),
    *("--storage-driver", "overlay"),
)
LIMITS = tuple(
    f"--ulimit={name}={soft}:{hard}"
    for name, (soft, hard) in {
        "nproc": resource.getrlimit(resource.RLIMIT_NPROC),
        "nofile": resource.getrlimit(resource.RLIMIT_NOFILE),
    }.items()
)
"""Those of this account: buildah asks for more, which not every machine permits."""

UNUSED = (
    *("usr/lib/*/perl-base", "usr/share/perl*", "etc/perl"),
    *(
        "usr/bin/apt*",
        "usr/lib/apt",
        "usr/lib/*/libapt-*",
        "etc/apt",
        "var/lib/apt",
        "var/cache/*",
        "var/log/*",
    ),
    *("var/lib/dpkg/info", "usr/lib/*/gconv", "usr/share/man", "usr/share/locale", "usr/share/info"),
    *("usr/share/lintian", "usr/share/bash-completion", "usr/share/i18n", "usr/lib/locale/C.utf8/LC_COLLATE"),
    *("usr/lib/python3*/ensurepip", "usr/lib/python3*/pydoc_data", "usr/lib/python3*/idlelib"),
    *("usr/lib/*/libbfd*", "usr/lib/*/libopcodes*", "usr/lib/*/libctf*", "usr/lib/*/libgprofng*"),
    *(
        "usr/lib/*/libsframe*",
        "usr/lib/*/gprofng",
        "usr/lib/gold-ld",
        "usr/sbin/[!n]*",
        "usr/lib/*/libsepol*",
    ),
    *("usr/lib/*/libdb-*", "usr/lib/*/libsystemd*", "usr/lib/*/libnettle*", "usr/lib/*/libhogweed*"),
    *("usr/lib/*/libsemanage*", "usr/lib/*/security", "usr/lib/*/libgnutls*", "usr/lib/*/libunistring*"),
    *("usr/lib/udev", "usr/lib/systemd", "usr/share/zoneinfo/right", "usr/lib/python3*/turtle.py"),
)
"""What no process of the service reads, beside most programs. Licences and the list of packages stay."""


PROGRAMS = frozenset(
    (
        "python3",
        "python3.13",
        "sh",
        "dash",
        "cat",
        "cp",
        "env",
        "id",
        "ls",
        "mkdir",
        "mv",
        "rm",
        "sleep",
        "test",
    )
)


def main() -> int:
    """Return 0 when the image is small and each role is healthy."""
    try:
        _require_tools()
        make_bases()
        make_context()
        build()
        megabytes = size()
        say(f"the image has {megabytes:.0f} MB")
        if megabytes > MOST_MB:
            raise Failed(f"The image has more than {MOST_MB} MB: see UNUSED in tools/image.py.")
        for role, seconds in try_roles():
            say(f"{role} is healthy after {seconds:.0f} s")
    except Failed as failed:
        say(str(failed))
        return 1
    return 0


def _require_tools() -> None:
    missing = [name for name in ("debootstrap", "buildah") if not shutil.which(name)]
    if os.geteuid() != 0 or missing:
        raise Failed("This runs as root, and needs: apt-get install debootstrap buildah netavark")


def make_bases() -> None:
    """Make a Debian with Python and binutils, once; and an image of it, and one of what a process needs."""
    if not BASE.exists():
        for folder in (BUILD, BASE.with_suffix(".part")):
            shutil.rmtree(folder, ignore_errors=True)
        debootstrap(BUILD, RELEASE, "python3,ca-certificates,binutils")
        subprocess.run(["cp", "-a", BUILD, BASE.with_suffix(".part")], check=True)
        _tidy(BASE.with_suffix(".part"))
        BASE.with_suffix(".part").rename(BASE)
    for folder, name in ((BUILD, NAMES[0]), (BASE, NAMES[1])):
        container = _buildah("from", *LIMITS, "scratch")
        _buildah("add", "--quiet", container, str(folder), "/")
        _buildah("commit", "--quiet", "--rm", container, name)


def _tidy(root: Path) -> None:
    """Delete what is unused, and name the account."""
    unused = [path for pattern in UNUSED for path in root.glob(pattern)]
    unused += [path for path in (root / "usr/bin").iterdir() if path.name not in PROGRAMS]
    unused += [path for path in root.rglob("__pycache__") if path.is_dir()]
    unused += [path for path in (root / "usr/share/doc").glob("*/*") if path.name != "copyright"]
    for path in unused:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
    with (root / "etc/passwd").open("a") as accounts:
        accounts.write(f"signals:x:{ACCOUNT}:{ACCOUNT}::/data:/usr/sbin/nologin\n")


def make_context() -> None:
    """Gather our wheel, the locked ones for the Python of the base, and pip."""
    shutil.rmtree(CONTEXT, ignore_errors=True)
    wheels = CONTEXT / "wheels"
    wheels.mkdir(parents=True)
    machine = os.uname().machine
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(5, 42)] + [f"manylinux2014_{machine}"]
    wanted = [option for platform in platforms for option in ("--platform", platform)]
    for abi in (f"cp{PYTHON.replace('.', '')}", "abi3", "none"):
        wanted += ["--abi", abi]
    _pip(
        "--require-hashes", "-r", "requirements.lock", "--python-version", PYTHON, *wanted, "-d", str(wheels)
    )
    _pip("pip", "-d", str(CONTEXT))
    next(CONTEXT.glob("pip-*.whl")).rename(CONTEXT / "pip.whl")
    for file in (*Path("dist").glob("signals-*.whl"), Path("requirements.lock")):
        shutil.copy(file, CONTEXT)


def _pip(*arguments: str) -> None:
    command = [".venv/bin/python", "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    if subprocess.run([*command, *arguments], check=False).returncode:
        raise Failed("pip could not fetch the wheels of requirements.lock: see above.")


def build() -> None:
    """Build the image in the format that keeps its health check."""
    options = ("--isolation", "chroot", "--format", "docker", "--build-arg", f"BASE={NAMES[1]}")
    _buildah(
        "build", "--quiet", *LIMITS, *options, "--file", str(CONTAINERFILE), "--tag", NAMES[2], str(CONTEXT)
    )


def size() -> float:
    """Return the megabytes of all files in the image."""
    with _container() as container:
        root = _buildah("mount", container)
        files = (path.lstat() for path in Path(root).rglob("*") if path.is_symlink() or path.is_file())
        counted = sum({(one.st_dev, one.st_ino): one.st_size for one in files}.values())
        _buildah("umount", container)
    return counted / 1e6


def try_roles() -> Iterator[tuple[str, float]]:
    """Fill a demo, run the roles over it as the account of the image, and yield when each is healthy."""
    data = FOLDER / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    os.chown(data, ACCOUNT, ACCOUNT)
    with _container() as container:
        say("filling a demo")
        _wait(
            _run(
                container, "sh", "-c", "signals init && signals db upgrade && signals demo && test ! -w /opt"
            )
        )
        for role, command in ROLES.items():
            with socket.create_server(("127.0.0.1", 0)) as listener:
                port = str(listener.getsockname()[1])
            names = {
                "SIGNALS__SERVER__PORT": port,
                "SIGNALS__METRICS__WORKER_PORT": port,
                "SIGNALS__ROLE": role,
            }
            process = _run(container, "signals", command, **names)
            try:
                yield role, _seconds_to_health(container, process, names)
            finally:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(60)


def health_check() -> list[str]:
    """Return the command that the image declares."""
    (found,) = re.findall(r"^HEALTHCHECK .*CMD (\[.*\])$", CONTAINERFILE.read_text(), re.MULTILINE)
    command: list[str] = json.loads(found)
    return command


def _seconds_to_health(container: str, process: "subprocess.Popen[str]", names: dict[str, str]) -> float:
    started = time.monotonic()
    while time.monotonic() < started + PATIENCE and process.poll() is None:
        asked = _run(container, *health_check(), **names)
        asked.communicate()
        if asked.returncode == 0:
            return time.monotonic() - started
        time.sleep(1)
    raise Failed(f"{names['SIGNALS__ROLE']} did not become healthy.")


def _wait(process: "subprocess.Popen[str]") -> None:
    said, _ = process.communicate()
    if process.returncode:
        raise Failed(f"{said[-2000:]}\nA command in the image failed: see above.")


def _run(container: str, *command: str, **names: str) -> "subprocess.Popen[str]":
    environment = {"SIGNALS_CONFIG": "/data/config.toml", **names}
    options = [option for name, value in environment.items() for option in ("--env", f"{name}={value}")]
    mounted = ("--volume", f"{FOLDER / 'data'}:/data:rw")
    return subprocess.Popen(
        [*BUILDAH, "run", "--isolation", "chroot", *mounted, *options, container, "--", *command],
        stdout=subprocess.DEVNULL if "SIGNALS__ROLE" in names else subprocess.PIPE,
        stderr=subprocess.DEVNULL if "SIGNALS__ROLE" in names else subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@contextmanager
def _container() -> Iterator[str]:
    container = _buildah("from", *LIMITS, NAMES[2])
    try:
        yield container
    finally:
        _buildah("rm", container)


def _buildah(*arguments: str) -> str:
    done = subprocess.run([*BUILDAH, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{done.stderr[-3000:]}\nbuildah {arguments[0]} failed: see above.")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
