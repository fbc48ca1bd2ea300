"""The folder of the demo."""

import email
import email.policy
from pathlib import Path

import pytest

from notifications.channels.folder import FolderChannel
from notifications.retry import TemporaryFailure
from tests.notifications.building import outgoing


def channel(folder: Path) -> FolderChannel:
    return FolderChannel(folder=folder, sender="meldingen@example.org")


def test_a_message_becomes_one_readable_file(tmp_path: Path) -> None:
    channel(tmp_path / "mail").send(outgoing())
    [file] = (tmp_path / "mail").iterdir()
    mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert mail["Subject"] == "Er is een nieuwe melding"
    assert mail["To"] == "team@example.org"


def test_a_message_sent_again_is_still_one_file(tmp_path: Path) -> None:
    channel(tmp_path).send(outgoing())
    channel(tmp_path).send(outgoing())
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_cannot_be_written_is_a_temporary_failure(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("in the way")
    with pytest.raises(TemporaryFailure):
        channel(tmp_path / "mail").send(outgoing())
