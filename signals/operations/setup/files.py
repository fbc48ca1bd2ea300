"""The files of a machine, made from the examples of docs/deploy."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from signals.operations.setup.answers import FILE, Answers

SECRETS: Final = "/etc/signals/secrets"
_PARTS: Final = {
    "front": ("signals-front.service",),
    "desk": ("signals-desk.service",),
    "worker": ("signals-worker.service",),
    "backup": (
        *("signals-backup.service", "signals-backup.timer"),
        *("signals-journal.service", "signals-journal.timer"),
    ),
}
_PLACES: Final = re.compile(r"(?<![\w.])/(?=etc/signals|etc/nginx/tls|var/lib/|var/backups/|var/log/nginx)")
_ADDRESS: Final = re.compile(
    r"(postgresql\+psycopg://signals_\w+@)(?:db|keys)\.example\.org(/signals\w*)\?[^\"\n]*"
)


@dataclass(frozen=True, kw_only=True)
class File:
    """A text for a path below the root."""

    path: Path
    text: str
    mode: int = 0o644
    is_adaptable: bool = True
    """Whether an administrator may change it."""


@dataclass(frozen=True)
class Machine:
    """The answers, and the root below which everything lies; another than `/` is for a trial."""

    answers: Answers
    root: Path = Path("/")

    def place(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def secret(self, name: str) -> Path:
        return self.place(f"{SECRETS}/{name}")

    def has(self, process: str) -> bool:
        return process in self.answers.processes

    @property
    def units(self) -> tuple[str, ...]:
        """The units to start, in order: the worker makes the keys that the front needs."""
        units = (unit for process in self.answers.processes for unit in _PARTS[process])
        started = (
            unit for unit in units if unit not in ("signals-backup.service", "signals-journal.service")
        )
        return tuple(sorted(started, key=lambda unit: "worker" not in unit))


def examples() -> Path:
    """Return the folder of the examples: of the checkout, or of the environment that holds the wheel."""
    checkout = Path(__file__).parents[3] / "docs/deploy"
    return checkout if checkout.is_dir() else Path(sys.prefix) / "share/signals/deploy"


def files(machine: Machine) -> Iterator[File]:
    """Yield every file but front.toml, which needs the root of the keystore."""
    yield File(path=machine.place(FILE), text=machine.answers.as_toml(), is_adaptable=False)
    for process in machine.answers.processes:
        if process != "front":
            yield _rendered(machine, f"{process}.toml", "/etc/signals")
        for unit in _PARTS[process]:
            yield _rendered(machine, unit, "/etc/systemd/system")
    if machine.has("worker"):
        yield _rendered(machine, "admin.env", "/etc/signals", 0o600)
    if machine.has("backup"):
        yield _rendered(machine, "signals-sysusers.conf", "/etc/sysusers.d")
        yield _rendered(machine, "signals-tmpfiles.conf", "/etc/tmpfiles.d")
    if machine.has("front") or machine.has("desk"):
        yield _rendered(machine, "nginx.conf", "/etc/nginx")


def front_settings(machine: Machine, root_public_key: str) -> File:
    """Return front.toml with the root that the front trusts."""
    file = _rendered(machine, "front.toml", "/etc/signals")
    text = re.sub(r'(?m)^root_public_key = ".*"$', f'root_public_key = "{root_public_key}"', file.text)
    return File(path=file.path, text=text)


def needed(machine: Machine) -> Iterator[Path]:
    """Yield the files that somebody else must give: certificates, and keys of another machine."""
    answers = machine.answers
    if not answers.is_local:
        yield machine.place("/etc/signals/ca.crt")
        pairs = [f"{process}-database" for process in answers.processes]
        pairs += ["keystore", "owner-database"] if machine.has("worker") else []
        yield from (machine.secret(f"{pair}.{end}") for pair in pairs for end in ("crt", "key"))
    if answers.mails and answers.mail_user:
        yield machine.secret("smtp.password")
    if not machine.has("worker"):
        keys = {"front": "front.key", "desk": "master.key"}
        yield from (machine.secret(keys[process]) for process in answers.processes if process in keys)
    names = {"front": answers.public_name, "desk": answers.desk_name}
    sites = [names[process] for process in answers.processes if process in names]
    yield from (machine.place(f"/etc/nginx/tls/{name}.{end}") for name in sites for end in ("crt", "key"))


def _rendered(machine: Machine, name: str, folder: str, mode: int = 0o644) -> File:
    text = (examples() / name).read_text(encoding="utf-8")
    if name == "nginx.conf":
        text = _of_its_sites(machine, text)
    text = _with_databases(machine.answers, text)
    text = _with_answers(machine.answers, text)
    if machine.root != Path("/"):
        text = _PLACES.sub(f"{machine.root}/", text)
    return File(path=machine.place(f"{folder}/{name}"), text=text, mode=mode)


def _of_its_sites(machine: Machine, text: str) -> str:
    """Leave out the servers of a process that runs elsewhere."""
    absent = {"front": "meldpunt.example.org", "desk": "desk.example.org"}
    names = [f"server_name {name};" for process, name in absent.items() if not machine.has(process)]
    return re.sub(
        r"\n(?:    #[^\n]*\n)*    server \{\n.*?\n    \}\n",
        lambda block: "" if any(name in block[0] for name in names) else block[0],
        text,
        flags=re.DOTALL,
    )


def _with_databases(answers: Answers, text: str) -> str:
    """Leave out certificates for a local PostgreSQL: its socket tells it the account."""
    if not answers.is_local:
        return text
    text = re.sub(r"(?m)^LoadCredential=(database|keystore)\..*\n", "", text)
    text = re.sub(r"(?m)^# The certificates are the passwords.*\n", "", text)
    return _ADDRESS.sub(rf"\1\2?host={answers.socket}", text)


def _with_answers(answers: Answers, text: str) -> str:
    if not answers.mail_user:
        text = re.sub(r"(?m)^.*(smtp\.password|SMTP_PASSWORD).*\n", "", text)
    for line, instead in _lines(answers).items():
        new = "".join(rf"\g<1>{one}\n" for one in instead)
        text = re.sub(rf"(?m)^( *){re.escape(line)}\n", new, text)
    words = _words(answers)
    return re.sub("|".join(map(re.escape, words)), lambda word: words[word[0]], text)


def _lines(answers: Answers) -> dict[str, list[str]]:
    """Return for a line of the examples the lines that stand there on this machine."""
    allowed = {
        "192.0.2.10": (answers.database_address,) if answers.database_address else (),
        "192.0.2.11": (answers.keystore_address,) if answers.keystore_address else (),
        "192.0.2.12": answers.mail_addresses,
    }
    lines = {
        f"IPAddressAllow={example}": [f"IPAddressAllow={address}" for address in addresses]
        for example, addresses in allowed.items()
    }
    return {**lines, "allow 198.51.100.0/24;": [f"allow {network};" for network in answers.offices]}


def _words(answers: Answers) -> dict[str, str]:
    """Return for the words of the examples those of this machine."""
    return {
        "meldpunt.example.org": answers.public_name,
        "desk.example.org": answers.desk_name,
        "mail.example.org": answers.mail_host,
        "db.example.org": answers.database_host,
        "keys.example.org": answers.keystore_host,
        "meldingen@example.org": answers.sender,
        "smtp_port = 587": f"smtp_port = {answers.mail_port}",
        'smtp_security = "starttls"': f'smtp_security = "{answers.mail_security}"',
        'smtp_user = "signals"': f'smtp_user = "{answers.mail_user}"',
    }
