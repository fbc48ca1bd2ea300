"""A master key or keystore that is not right, at each start: what is wrong, what mends it, and no secret."""

import base64
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner
from sqlalchemy import make_url

from privacy.logs import configure_logging
from privacy.secret_files import write_new_secret_file
from signals.cli import main
from tests.support.installation import install, settings_in

COMMANDS: Final = (
    "serve",
    "work",
    "init",
    "keys list",
    "keys sweep",
    "keys rotate NEW",
    "doctor",
    "audit verify",
    "retention run",
    "retention replay",
)

STARTS: Final = ("serve", "work", "keys list", "doctor")
"""The four ways in; the other commands open the keystore as `keys list` does."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installation")
    install(folder)
    write_new_secret_file(folder / "new.key")
    return folder


@pytest.fixture
def folder(installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the installation; the process ends no other way than before."""
    for variable in ("SIGNALS_CONFIG", "SIGNALS__ROLE"):
        monkeypatch.delenv(variable, raising=False)
    shutil.copytree(installed, tmp_path, dirs_exist_ok=True)
    before = signal.getsignal(signal.SIGTERM)
    yield tmp_path
    signal.signal(signal.SIGTERM, before)
    configure_logging()


def missing(file: Path) -> None:
    file.unlink()


def too_short(file: Path) -> None:
    file.write_text(base64.b64encode(b"a secret of 24 bytes ...").decode())


def of_another_keystore(file: Path) -> None:
    file.unlink()
    write_new_secret_file(file)


def open_to_others(file: Path) -> None:
    file.chmod(0o644)


PROBLEMS: Final[dict[Callable[[Path], None], tuple[str, str]]] = {
    missing: (str(Path("secrets") / "master.key"), "Put back the file"),
    too_short: ("does not hold 32 bytes", "Put back the file"),
    of_another_keystore: ("is not the master key of this keystore", "Point it to the file of the last"),
    open_to_others: ("others may read", "keys rotate NEW"),
}


def refusal(folder: Path, command: str) -> str:
    """Return the output of a command that ends with exit code 1 and raises nothing else."""
    arguments = [
        "--config",
        str(folder / "config.toml"),
        *command.replace("NEW", f"{folder}/new.key").split(),
    ]
    result = CliRunner(env={"SIGNALS__SERVER__PORT": "0"}).invoke(main, arguments)
    assert isinstance(result.exception, SystemExit), result.output
    assert (result.exit_code, "Traceback" in result.output) == (1, False)
    return result.output


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.__name__)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_master_key_that_is_not_right_is_told_with_what_mends_it(
    folder: Path, command: str, problem: Callable[[Path], None]
) -> None:
    file = settings_in(folder).keystore.master_key_file
    secret = file.read_text().strip()
    problem(file)
    says, mend = PROBLEMS[problem]
    told = refusal(folder, command)
    assert "keystore.master_key_file" in told or command == "doctor"
    assert says in told
    assert mend.casefold() in told.casefold()
    assert not [one for one in (secret, file.read_text().strip() if file.exists() else secret) if one in told]


def test_a_master_key_that_others_could_read_is_shut_and_rotated_and_nothing_is_put_back(
    folder: Path,
) -> None:
    """One advice, not two that exclude each other: the file is the right one."""
    file = settings_in(folder).keystore.master_key_file
    open_to_others(file)
    told = refusal(folder, "doctor")
    assert told.index(f"chmod 600 {file}") < told.index("keys new-master NEW") < told.index("keys rotate NEW")
    assert told.count("chmod 600") == 1
    assert "put back" not in told
    assert "new installation" not in told


def test_init_makes_no_new_master_key_beside_a_keystore(folder: Path) -> None:
    file = settings_in(folder).keystore.master_key_file
    file.unlink()
    assert "there is a keystore that it opens" in refusal(folder, "init")
    assert not file.exists()


@pytest.mark.parametrize("command", STARTS)
def test_a_keystore_that_was_never_made_is_told_with_what_mends_it(folder: Path, command: str) -> None:
    _keystore_file(folder).unlink()
    told = refusal(folder, command)
    assert "there is no keystore" in told
    assert "signals init" in told


@pytest.mark.parametrize("command", STARTS)
def test_a_keystore_that_is_away_is_told_without_its_address(
    folder: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"postgresql+psycopg://signals_keys:geheim@/signals_keys?host={folder}&connect_timeout=2"
    monkeypatch.setenv("SIGNALS__KEYSTORE__URL", url)
    told = refusal(folder, command)
    assert "the keystore cannot be reached (OperationalError)" in told
    assert "geheim" not in told


def test_a_front_secret_that_is_not_right_is_told_with_what_mends_it(folder: Path) -> None:
    settings_in(folder).front.secret_file.unlink()
    told = refusal(folder, "serve")
    assert "front.secret_file" in told
    assert "Put back the file" in told


def test_the_key_in_use_is_no_key_to_rotate_to(folder: Path) -> None:
    file = settings_in(folder).keystore.master_key_file
    before = _keystore_file(folder).read_bytes()
    told = refusal(folder, f"keys rotate {file}")
    assert "names already" in told
    assert _keystore_file(folder).read_bytes() == before


def _keystore_file(folder: Path) -> Path:
    return Path(str(make_url(settings_in(folder).keystore.url).database))
