"""A wheel: built with all its files or not at all, and served by a machine without Node and make."""

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import venv
from email import message_from_bytes
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen
from zipfile import ZipFile

import pytest

from tests.support.project_files import PROJECT, project_files
from tests.support.serving import free_port

pytestmark = [pytest.mark.slow, pytest.mark.system]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout without what `make build` makes."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in project_files():
        if not name.startswith(("tests/", "docs/")) or name.startswith("docs/deploy/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, folder / name)
    return folder


def build(checkout: Path) -> "subprocess.CompletedProcess[str]":
    command = [*(sys.executable, "-m", "pip", "wheel"), "--no-deps", "--no-build-isolation", "--no-index"]
    return subprocess.run(
        [*command, "-w", "dist", "."], cwd=checkout, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def wheel(checkout: Path) -> Path:
    """The wheel of the checkout: refused at first, and built once its files are there."""
    refused = build(checkout)
    assert refused.returncode != 0
    assert "run 'make build'" in refused.stdout + refused.stderr
    assert not list((checkout / "dist").glob("*"))
    shutil.copytree(PROJECT / "signals/web/static/vendor", checkout / "signals/web/static/vendor")
    for package in ("signals", "notifications"):
        for catalogue in (PROJECT / package).rglob("LC_MESSAGES/*.mo"):
            shutil.copy(catalogue, checkout / catalogue.relative_to(PROJECT))
    assert build(checkout).returncode == 0
    (made,) = (checkout / "dist").glob("*.whl")
    return made


def test_a_wheel_carries_what_an_installation_reads(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (archive.read(name) for name in names if name.endswith("/METADATA"))
    said = message_from_bytes(metadata)
    data = f"signals-{said['Version']}"
    assert names >= {
        *("wsgi.py", "signals/py.typed", "notifications/py.typed", "privacy/py.typed"),
        *("signals/reference/SOURCE.md", "signals/web/static/vendor/htmx.js", "migrations/versions/HEAD"),
        *(f"{data}.data/data/share/signals/{name}" for name in ("config.example.toml", "deploy/nginx.conf")),
        *(f"{data}.dist-info/licenses/{name}" for name in ("LICENSE", "THIRD_PARTY.md")),
    }
    assert {name.removesuffix(".po") for name in names if name.endswith(".po")} == {
        name.removesuffix(".mo") for name in names if name.endswith(".mo")
    }
    assert said["License-Expression"] == "EUPL-1.2"
    assert not any(name.startswith(("tests/", "tools/")) for name in names)


def test_an_installed_wheel_serves_without_node_and_make(wheel: Path, tmp_path: Path) -> None:
    programs = installed(wheel, tmp_path)
    port = free_port()
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [programs / "signals", "serve", "--prepare", "--port", str(port)],
            cwd=tmp_path,
            env={"PATH": str(programs), "HOME": str(tmp_path), "LANG": "C.UTF-8"},
            stdout=log,
            stderr=log,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    try:
        page = page_of(process, port, "/?lang=nl", tmp_path / "log")
        scripts = re.findall(r'src="(/static/[^"]+)"', page)
        assert "Versturen" in page
        assert scripts
        for script in scripts:
            urlopen(f"http://127.0.0.1:{port}{script}").close()  # raises for a missing one
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def installed(wheel: Path, folder: Path) -> Path:
    """Return the programs of an environment with the wheel, and with the dependencies of this one."""
    venv.create(folder / "venv")
    python = folder / "venv/bin/python"
    options = ["--no-deps", "--no-index", "--quiet"]
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", *options, wheel],
        check=True,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    (packages,) = (folder / "venv/lib").glob("python*/site-packages")
    # A path in a .pth file brings no other .pth file: the editable installation stays out.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python.parent


def page_of(process: "subprocess.Popen[bytes]", port: int, path: str, log: Path) -> str:
    """Return a page, once the demo is made and served."""
    deadline = time.monotonic() + 300
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urlopen(f"http://127.0.0.1:{port}{path}") as answer:
                return str(answer.read(), "utf-8")
        except URLError:
            time.sleep(0.2)
    raise AssertionError(log.read_text())
