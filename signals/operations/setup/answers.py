"""Answers of an administrator: names, addresses and the processes of this machine. Never a secret."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

from signals.errors import SettingsProblem

PROCESSES: Final = ("worker", "desk", "front", "backup")
FILE: Final = "/etc/signals/setup.toml"

QUESTIONS: Final = {
    "processes": "Processes on this machine, of worker, desk, front and backup",
    "public_name": "Name of the public site, such as meldpunt.example.org",
    "desk_name": "Name of the staff's site, such as desk.example.org",
    "offices": "Networks from which staff work, such as 198.51.100.0/24",
    "mail_host": "Name of the mail relay",
    "mail_addresses": "Its IP addresses or networks; none for this machine",
    "mail_port": "Its port",
    "mail_security": "Its encryption: starttls or tls",
    "mail_user": "Account at the relay; empty for none",
    "sender": "Sender of mails",
    "database_host": "Name of the server of the database; empty for the PostgreSQL of this machine",
    "database_address": "Its IP address",
    "keystore_host": "Name of the server of the keystore",
    "keystore_address": "Its IP address",
    "root_public_key": "Root key, from 'signals keys list' where the worker runs",
    "socket": "Folder of PostgreSQL's socket",
}
"""The question for each answer; a machine is asked only for what its processes need."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The answers for one machine; lists are tuples of texts."""

    processes: tuple[str, ...] = PROCESSES
    public_name: str = ""
    desk_name: str = ""
    offices: tuple[str, ...] = ()
    mail_host: str = ""
    mail_addresses: tuple[str, ...] = ()
    mail_port: int = 587
    mail_security: str = "starttls"
    mail_user: str = ""
    sender: str = ""
    database_host: str = ""
    database_address: str = ""
    keystore_host: str = ""
    keystore_address: str = ""
    root_public_key: str = ""
    socket: str = "/run/postgresql"

    @property
    def mails(self) -> bool:
        return bool({"worker", "desk"} & set(self.processes))

    @property
    def is_local(self) -> bool:
        """Whether both databases are of this machine's PostgreSQL."""
        return not self.database_host

    def as_toml(self) -> str:
        """Return the answers as a file; strings, numbers and lists look alike in JSON and TOML."""
        lines = (f"{name} = {json.dumps(value)}" for name, value in asdict(self).items())
        return "\n".join(["# The answers of `signals setup`.", *lines, ""])


def read(file: Path) -> Answers:
    """Return the answers in a file. Raises `SettingsProblem` with every problem."""
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsProblem([f"{file} cannot be read: {error}"]) from None
    return checked(found)


def ask(prompt: Callable[..., Any]) -> Answers:
    """Return the answers of a person; `prompt` takes a question and a default, as `click.prompt`."""
    given: dict[str, Any] = {}
    for field in fields(Answers):
        so_far = Answers(**given)
        if not _is_wanted(field.name, so_far):
            continue
        default = getattr(so_far, field.name)
        is_list = isinstance(default, tuple)
        said = prompt(QUESTIONS[field.name], default=" ".join(default) if is_list else default)
        given[field.name] = tuple(filter(None, re.split(r"[,\s]+", said))) if is_list else said
    return checked(given)


def _is_wanted(name: str, answers: Answers) -> bool:
    if name in ("offices", "desk_name"):
        return answers.mails
    if name.startswith("mail_") or name == "sender":
        return answers.mails
    if name in ("database_address", "keystore_host"):
        return not answers.is_local
    if name == "keystore_address":
        return bool(answers.keystore_host)
    if name == "root_public_key":
        return "front" in answers.processes and "worker" not in answers.processes
    return name != "socket"


def checked(given: Mapping[str, Any]) -> Answers:
    """Return answers that may stand in files of nginx, systemd and PostgreSQL. Raises `SettingsProblem`."""
    known = {field.name for field in fields(Answers)}
    problems = [f"{name} is no answer of setup" for name in given.keys() - known]
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }
    answers = Answers(**{name: value for name, value in values.items() if name in known})
    problems += _problems(answers)
    if problems:
        raise SettingsProblem(problems)
    return answers


def _problems(answers: Answers) -> Iterator[str]:
    for field in fields(Answers):
        value = getattr(answers, field.name)
        if type(value) is not type(field.default):
            yield f"{field.name} must be {_KINDS[type(field.default)]}"
            return
    if not answers.processes or set(answers.processes) - set(PROCESSES):
        yield f"processes must be of {', '.join(PROCESSES)}"
    for name in ("public_name", "desk_name", "mail_host", "database_host", "keystore_host"):
        value = getattr(answers, name)
        if not (_NAME.fullmatch(value) or (not value and name not in _needed(answers))):
            yield f"{name} must be a name such as host.example.org"
    for name in ("offices", "mail_addresses", "database_address", "keystore_address"):
        value = getattr(answers, name)
        if not all(map(_is_network, value if isinstance(value, tuple) else [value] if value else [])):
            yield f"{name} must be IP addresses or networks"
    yield from _further_problems(answers)


def _needed(answers: Answers) -> Iterator[str]:
    yield "public_name"
    if answers.mails:
        yield from ("desk_name", "mail_host")


def _further_problems(answers: Answers) -> Iterator[str]:
    if answers.mails and not re.fullmatch(r"[\w.+-]+@[\w.-]+", answers.sender):
        yield "sender must be an e-mail address"
    if answers.mail_security not in ("starttls", "tls"):
        yield "mail_security must be starttls or tls"
    if not re.fullmatch(r"[\w.@+-]*", answers.mail_user):
        yield "mail_user must be a plain name"
    if "desk" in answers.processes and not answers.offices:
        yield "offices must name at least one network"
    if not re.fullmatch(r"/[\w./-]+", answers.socket):
        yield "socket must be a folder"
    remote = (answers.database_host, answers.database_address)
    keys = (answers.keystore_host, answers.keystore_address)
    if len({bool(value) for value in (*remote, *keys)}) > 1:
        yield "database and keystore need a host and an address each, or none of the four"
    if not re.fullmatch(r"([A-Za-z0-9+/]{43}=)?", answers.root_public_key):
        yield "root_public_key must be 44 characters of base64"
    if "front" in answers.processes and not ("worker" in answers.processes or answers.root_public_key):
        yield "root_public_key is missing: this front has no worker beside it"


def _is_network(value: str) -> bool:
    try:
        ip_network(value)
    except ValueError:
        return False
    return True


_NAME: Final = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_KINDS: Final = {str: "a text", int: "a number", tuple: "a list"}
