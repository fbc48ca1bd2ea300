"""A channel of the demo: each e-mail becomes a file in a folder, and reaches nobody."""

import os
from dataclasses import dataclass
from pathlib import Path

from notifications.channels import Outgoing, Sent
from notifications.channels.mail import compose_mail
from notifications.retry import TemporaryFailure


@dataclass(frozen=True, kw_only=True)
class FolderChannel:
    """One `.eml` file for each message, named after its id: a repeat is the same file."""

    folder: Path
    sender: str
    name: str = ""

    def send(self, message: Outgoing) -> Sent:
        mail = compose_mail(message, sender=self.sender, name=self.name, message_id_host="localhost")
        try:
            self._write(f"{message.id}.eml", mail.as_bytes())
        except OSError:
            raise TemporaryFailure("folder_not_writable") from None
        return Sent(provider_message_id=str(mail["Message-ID"]))

    def _write(self, name: str, content: bytes) -> None:
        """Write a file, so that a reader of the folder sees the whole file or none."""
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = self.folder / f".{name}.{os.getpid()}.part"
        unfinished.write_bytes(content)
        unfinished.replace(self.folder / name)
