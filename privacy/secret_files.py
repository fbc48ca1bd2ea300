"""Files for their owner only, and secrets in such files (the master key, the front's): 32 bytes as text.

Apart from `keystore`, because the front needs such a file too and may never import that module.
"""

import base64
import binascii
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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


@contextmanager
def for_owner_alone() -> Iterator[None]:
    """Keep each file that this process makes meanwhile for its owner; then restore its umask."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def make_private(path: Path) -> None:
    """Make the file of a SQLite database, mode 0600, or close one that is there to all but its owner.

    Before SQLite does: it gives its write-ahead log and shared memory the mode of this file. A file that is
    there is never opened: closing it again would drop every lock that this process holds on it (POSIX,
    fcntl(2)), whoever else then closes the database takes itself for the last and deletes the write-ahead
    log, and what this process commits from there on is in no file that has a name.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        path.chmod(0o600)


def open_private(path: str, flags: int, like: Path | None = None) -> int:
    """Open a file for its owner alone; a new file of root gets the owner of the folder, or of `like`.

    Otherwise the worker, which has an account of its own, could not write its journal after root did. Only a
    new file changes its owner: an existing one may be a link.
    """
    if os.geteuid() != 0:
        return os.open(path, flags, 0o600)
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return os.open(path, flags, 0o600)
    owner = (like or Path(path).parent).stat()
    os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor
