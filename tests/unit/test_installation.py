"""Making an installation ready, by more than one process."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from signals import installation
from tests.support.meanwhile import HEAD_START


def test_two_first_starts_at_once_make_one_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, written = tmp_path / "config.toml", installation.write_new_secret_file
    others: list[Future[bool]] = []

    def write(path: Path) -> None:
        if not others:
            others.append(pool.submit(installation.initialise, config))
            wait(others, timeout=HEAD_START)
        written(path)

    monkeypatch.setattr(installation, "write_new_secret_file", write)
    with ThreadPoolExecutor(1) as pool:
        assert installation.initialise(config)
    assert not others[0].result()
