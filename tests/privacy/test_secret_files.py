"""Secret files: 32 bytes, for their owner only, never written over."""

import stat
from pathlib import Path

import pytest

from privacy.secret_files import SecretFileRefused, load_master_key, write_new_secret_file

SECRET = bytes(range(224, 256))  # its base64 has both characters that the two alphabets differ in


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secrets" / "master.key"


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_new_file_holds_32_bytes_for_its_owner_only(path: Path) -> None:
    write_new_secret_file(path)
    assert len(load_master_key(path)) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_existing_file_is_never_written_over(path: Path) -> None:
    write(path, "precious")
    with pytest.raises(FileExistsError):
        write_new_secret_file(path)
    assert path.read_text() == "precious"


@pytest.mark.parametrize(
    "text",
    [
        SECRET.hex(),
        SECRET.hex().upper() + "\n",
        "4OHi4+Tl5ufo6err7O3u7/Dx8vP09fb3+Pn6+/z9/v8=",
        "4OHi4-Tl5ufo6err7O3u7_Dx8vP09fb3-Pn6-_z9_v8",
    ],
)
def test_hex_and_both_base64_alphabets_are_read(path: Path, text: str) -> None:
    assert load_master_key(write(path, text)) == SECRET


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o601])
def test_a_file_that_others_can_open_is_refused(path: Path, mode: int) -> None:
    with pytest.raises(SecretFileRefused, match="chmod 600"):
        load_master_key(write(path, SECRET.hex(), mode))


@pytest.mark.parametrize("text", ["", "geheim", "00" * 31, "00" * 33, "é" * 32, "AAAA" * 12])
def test_a_file_without_32_bytes_is_refused_without_being_quoted(path: Path, text: str) -> None:
    with pytest.raises(SecretFileRefused) as caught:
        load_master_key(write(path, text))
    assert str(caught.value) == f"the secret file {path} does not hold 32 bytes as base64 or hex"


def test_a_missing_file_is_refused(path: Path) -> None:
    with pytest.raises(SecretFileRefused, match="No such file"):
        load_master_key(path)
