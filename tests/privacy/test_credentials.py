"""Secrets that systemd hands over: the mode that it gives them is taken, and in no other place."""

from pathlib import Path

import pytest

from privacy.secret_files import SecretFileRefused, load_master_key, write_new_secret_file


@pytest.fixture
def credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the file as LoadCredential shows it to a service account: 0440, the group bit an ACL mask."""
    path = tmp_path / "credentials" / "master.key"
    write_new_secret_file(path)
    path.chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(path.parent))
    return path


def test_a_credential_with_the_mode_of_systemd_is_read(credential: Path) -> None:
    assert len(load_master_key(credential)) == 32


@pytest.mark.parametrize("mode", [0o441, 0o444, 0o460, 0o660])
def test_a_credential_that_others_may_read_or_a_group_may_write_is_refused(
    credential: Path, mode: int
) -> None:
    credential.chmod(mode)
    with pytest.raises(SecretFileRefused):
        load_master_key(credential)


@pytest.mark.parametrize("place", ["credentials_of_another", "credentials/below"])
def test_the_same_mode_in_another_folder_is_refused(credential: Path, place: str) -> None:
    elsewhere = credential.parents[1] / place / "master.key"
    write_new_secret_file(elsewhere)
    elsewhere.chmod(0o440)
    with pytest.raises(SecretFileRefused):
        load_master_key(elsewhere)


def test_without_credentials_the_mode_is_refused(credential: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(SecretFileRefused):
        load_master_key(credential)
