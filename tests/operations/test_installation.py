"""Making an installation ready, by more than one process."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from click.testing import CliRunner

from privacy.secret_files import write_new_secret_file
from signals.cli import main
from signals.operations import installation
from tests.support.meanwhile import HEAD_START


def test_two_first_starts_at_once_make_one_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, written = tmp_path / "config.toml", installation.write_new_secret_file
    others: list[Future[tuple[installation.Part, ...]]] = []

    def write(path: Path) -> None:
        if not others:
            others.append(pool.submit(installation.initialise, config))
            wait(others, timeout=HEAD_START)
        written(path)

    monkeypatch.setattr(installation, "write_new_secret_file", write)
    with ThreadPoolExecutor(1) as pool:
        assert all(part.new for part in installation.initialise(config))
    assert not any(part.new for part in others[0].result())


def test_init_says_of_each_part_where_it_is_and_whether_it_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the environment of the unit, init makes another keystore; its output must show that."""
    config = tmp_path / "worker.toml"
    config.write_text("")
    monkeypatch.delenv("SIGNALS_CONFIG", raising=False)
    monkeypatch.setenv("SIGNALS__ROLE", "worker")
    assert _init(config) == [
        f"there already  settings: {config}",
        f"made           master key: {tmp_path}/var/secrets/master.key",
        f"made           keystore: {tmp_path}/var/keystore/keystore.db",
    ]
    monkeypatch.setenv("SIGNALS__KEYSTORE__MASTER_KEY_FILE", str(tmp_path / "given.key"))
    monkeypatch.setenv("SIGNALS__KEYSTORE__URL", f"sqlite:///{tmp_path}/given.db")
    write_new_secret_file(tmp_path / "given.key")
    assert _init(config)[1:] == [
        f"there already  master key: {tmp_path}/given.key",
        f"made           keystore: {tmp_path}/given.db",
    ]
    assert all(line.startswith("there already") for line in _init(config))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://signals_keys:s3cret@keys.example.org/signals_keys?sslmode=verify-full",
        "postgresql+psycopg://signals_keys@/signals_keys?host=keys.example.org&password=s3cret",
    ],
)
def test_init_names_the_server_of_a_keystore_without_its_password(url: str) -> None:
    assert installation._place(url) == "database signals_keys of keys.example.org"


def _init(config: Path) -> list[str]:
    """Return the lines about the parts, of an init that also warns about the first account."""
    done = CliRunner().invoke(main, ["--config", str(config), "init"])
    assert done.exit_code == 0, done.output
    secret = [file.read_text().strip() for file in config.parent.rglob("*.key")]
    assert not any(text in done.output for text in secret)
    *parts, alone, advice = done.output.splitlines()
    assert alone.startswith("While there is one account")
    assert advice.endswith("Make a second administrator with 'signals staff add'.")
    return parts
