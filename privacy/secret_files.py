"""Secrets in files of their own (the master key, the front's secret): 32 bytes as text, for their owner only.

Apart from `keystore`, because the front needs such a file too and may never import that module.
"""

import base64
import binascii
import os
import re
import secrets
import stat
from pathlib import Path
from typing import Final

SECRET_SIZE: Final = 32
_HEX: Final = re.compile(r"[0-9a-fA-F]{64}")


class SecretFileRefused(Exception):
    """The secret file is missing, readable by others, or does not hold 32 bytes as base64 or hex."""


class SecretFileOpenToOthers(SecretFileRefused):
    """Other accounts may read the secret file: it may be known, and a closed file does not undo that."""


def load_master_key(path: Path) -> bytes:
    """Return the 32 bytes of a secret file: base64 (either alphabet) or hex, white space around it ignored.

    Raises `SecretFileRefused`, whose message names the file and never what is in it.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode  # of the opened file: the name may be changed meanwhile
            text = file.read(4096)
    except OSError as error:
        raise SecretFileRefused(f"cannot read the secret file {path}: {error.strerror}") from None
    if stat.S_IMODE(mode) & (0o037 if _is_credential(path) else 0o077):
        raise SecretFileOpenToOthers(
            f"others may read the secret file {path}: chmod 600 it, then replace the secret"
        )
    return _decoded(text.strip(), path)


def write_new_secret_file(path: Path) -> None:
    """Write 32 new random bytes as base64 into a file of mode 0600; raises `FileExistsError` over any file.

    A lost secret cannot be made again, hence never over an existing one. On disk when this returns.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.b64encode(secrets.token_bytes(SECRET_SIZE)) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _is_credential(path: Path) -> bool:
    """Return whether systemd gave the credential to this service alone; group bits are an ACL's mask."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return folder is not None and path.absolute().parent == Path(folder).absolute()


def _decoded(text: bytes, path: Path) -> bytes:
    try:
        if _HEX.fullmatch(text.decode("ascii")):
            return bytes.fromhex(text.decode("ascii"))
        padded = text.translate(bytes.maketrans(b"-_", b"+/")).ljust(-(-len(text) // 4) * 4, b"=")
        secret = base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != SECRET_SIZE:
        raise SecretFileRefused(f"the secret file {path} does not hold 32 bytes as base64 or hex") from None
    return secret
