"""Settings as frozen dataclasses, read from TOML and the environment; unknown keys are refused.

`SIGNALS__SECTION__KEY` (top level: `SIGNALS__KEY`) overrides the file. Every problem is listed
at once, so that an administrator mends them in one go. Fields carry unit and reason as metadata;
`config.example.toml` is compared with them by a test.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints
from urllib.parse import urlsplit

from signals.errors import SettingsProblem
from signals.vocabulary import Environment, ProcessRole

ENVIRONMENT_PREFIX = "SIGNALS__"
CONFIG_VARIABLE = "SIGNALS_CONFIG"
_DRIVERS = frozenset({"sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg"})
LICENCES = ("CC-BY-4.0", "CC0-1.0")
"""What open data may be published under, by SPDX name."""

LEAST_LIMIT = 13
"""Reports; at four fifths of it administrators are told, who may learn of no number below 10."""
COPIES_LIVE_DAYS = 14
"""How long copies of keys are kept: until then a restore needs to know what was forgotten since."""
TWILIO_SETTINGS = 3
"""So many settings of Twilio have no default."""


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = "http://127.0.0.1:8000"
    processes: int = 1
    threads: int = 4


@dataclass(frozen=True, kw_only=True)
class DatabaseSettings:
    url: str = "sqlite:///var/signals.db"
    pool_size: int = 5


@dataclass(frozen=True, kw_only=True)
class KeystoreSettings:
    url: str = "sqlite:///var/keystore/keystore.db"
    master_key_file: Path = Path("var/secrets/master.key")


@dataclass(frozen=True, kw_only=True)
class FrontSettings:
    secret_file: Path = Path("var/secrets/front.key")
    root_public_key: str = ""


@dataclass(frozen=True, kw_only=True)
class NotesSettings:
    enabled: bool = False
    max_length: int = 280


@dataclass(frozen=True, kw_only=True)
class LimitsSettings:
    open_reports_per_area_and_day: int = 500


@dataclass(frozen=True, kw_only=True)
class RoutingSettings:
    refresh_seconds: float = 1.0


@dataclass(frozen=True, kw_only=True)
class ArrivalSettings:
    interval_seconds: int = 2
    batch_size: int = 500


@dataclass(frozen=True, kw_only=True)
class RetentionSettings:
    journal_file: Path = Path("var/deletions.journal")
    at_hour: int = 3
    facts_together: int = 20
    rest_percent: int = 100
    referral_days: int = 730
    register_days: int = 1826
    session_days: int = 30
    approval_days: int = 730
    account_days: int = 731
    journal_days: int = 730


@dataclass(frozen=True, kw_only=True)
class AuditSettings:
    link_seconds: int = 5


@dataclass(frozen=True, kw_only=True)
class NotificationsSettings:
    delay_minutes: int = 30
    mail_folder: Path | None = None
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_security: str = "starttls"
    smtp_user: str = ""
    smtp_password_file: Path | None = None
    sender: str = "meldingen@example.org"
    interval_seconds: int = 2


@dataclass(frozen=True, kw_only=True)
class TwilioSettings:
    account_sid: str = ""
    auth_token_file: Path | None = None
    messaging_service_sid: str = ""
    api_url: str = "https://api.twilio.com"
    timeout_seconds: float = 10.0

    @property
    def missing(self) -> tuple[str, ...]:
        """What text messages still lack; empty when they are on."""
        wanted = {
            "twilio.account_sid": bool(self.account_sid),
            "twilio.auth_token_file": self.auth_token_file is not None,
            "twilio.messaging_service_sid": bool(self.messaging_service_sid),
        }
        return tuple(name for name, there in wanted.items() if not there)


@dataclass(frozen=True, kw_only=True)
class MetricsSettings:
    worker_host: str = "127.0.0.1"
    worker_port: int = 0


@dataclass(frozen=True, kw_only=True)
class FiguresSettings:
    public: bool = False
    licence: str = "CC-BY-4.0"
    grace_days: int = 35


@dataclass(frozen=True, kw_only=True)
class SessionsSettings:
    idle_minutes: int = 60
    absolute_hours: int = 12
    password_memory_kib: int = 65536


@dataclass(frozen=True, kw_only=True)
class LoggingSettings:
    level: str = "INFO"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything the composition root needs; built by `load_settings`, changed only with `replace`."""

    role: ProcessRole = ProcessRole.ALL
    environment: Environment = Environment.DEMO
    debug: bool = False
    data_folder: Path = Path("var")
    server: ServerSettings = field(default_factory=ServerSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    keystore: KeystoreSettings = field(default_factory=KeystoreSettings)
    front: FrontSettings = field(default_factory=FrontSettings)
    notes: NotesSettings = field(default_factory=NotesSettings)
    limits: LimitsSettings = field(default_factory=LimitsSettings)
    routing: RoutingSettings = field(default_factory=RoutingSettings)
    arrival: ArrivalSettings = field(default_factory=ArrivalSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    audit: AuditSettings = field(default_factory=AuditSettings)
    notifications: NotificationsSettings = field(default_factory=NotificationsSettings)
    twilio: TwilioSettings = field(default_factory=TwilioSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    figures: FiguresSettings = field(default_factory=FiguresSettings)
    sessions: SessionsSettings = field(default_factory=SessionsSettings)
    logging: LoggingSettings = field(default_factory=LoggingSettings)

    @property
    def serves_public(self) -> bool:
        return self.role in (ProcessRole.FRONT, ProcessRole.ALL)

    @property
    def serves_staff(self) -> bool:
        return self.role in (ProcessRole.DESK, ProcessRole.ALL)

    @property
    def runs_jobs(self) -> bool:
        return self.role in (ProcessRole.WORKER, ProcessRole.ALL)

    @property
    def holds_keys(self) -> bool:
        """Whether this process may open the keystore; the front never may."""
        return self.role is not ProcessRole.FRONT


def load_settings(
    path: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    *,
    check: bool = True,
    must_exist: bool = True,
) -> Settings:
    """The settings of this process.

    `path`: the TOML file; without it `$SIGNALS_CONFIG`, else `config.toml` in the working folder,
    else defaults alone. Relative paths and SQLite files count from the file's folder. `check=False`
    leaves out what `problems_of` says; `must_exist=False` takes the defaults where a named file is missing.
    Raises `SettingsProblem` with every problem found.
    """
    chosen = path or Path(environ.get(CONFIG_VARIABLE, "config.toml"))
    problems: list[str] = []
    named = path is not None or CONFIG_VARIABLE in environ
    tree = _read_toml(chosen, required=must_exist and named, problems=problems)
    is_read = not problems
    _lay_environment_over(tree, environ, problems)
    settings = _anchor(_build(Settings, tree, "", problems), chosen.resolve().parent)
    if "public_url" not in _table(tree, "server"):
        settings = _with_url_of_port(settings)
    if is_read and check:
        problems.extend(_further_problems(settings, problems))
    if problems:
        raise SettingsProblem(problems)
    return settings


def _further_problems(settings: Settings, problems: Sequence[str]) -> list[str]:
    """What else must not be. A refused value has its default here, which nobody asked for: nothing is said
    of it again, and what production asks of a role is left out where there is no such role.
    """
    refused = {problem.split()[0] for problem in problems}
    found = _impossible(settings) if {"role", "environment"} & refused else problems_of(settings)
    return [problem for problem in found if problem.split()[0] not in refused]


def _table(tree: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = tree.get(name)
    return table if isinstance(table, dict) else {}


def _with_url_of_port(settings: Settings) -> Settings:
    """`make run PORT=8080` moves the links in mails, and what passkeys are bound to, along with the port."""
    port = settings.server.port
    if port == 0:
        return settings
    return replace(settings, server=replace(settings.server, public_url=f"http://127.0.0.1:{port}"))


def problems_of(settings: Settings) -> Iterator[str]:
    """Everything about well-typed settings that must not be: for every environment, then for production."""
    yield from _impossible(settings)
    if settings.environment is Environment.PRODUCTION:
        yield from _unsafe(settings)


def _impossible(settings: Settings) -> Iterator[str]:
    yield from _impossible_sending(settings)
    yield from _impossible_retention(settings.retention)
    yield from _impossible_places(settings)
    if not 0 <= settings.server.port <= 65535:
        yield "server.port must lie between 0 and 65535"
    if not 1 <= settings.notes.max_length <= 280:
        yield "notes.max_length must lie between 1 and 280 characters"
    if settings.figures.licence not in LICENCES:
        yield f"figures.licence must be one of {', '.join(LICENCES)}"
    for name, number in _whole_numbers(settings):
        if number < 0:
            yield f"{name} must not be negative"
    for name in (
        "server.processes",
        "server.threads",
        "arrival.batch_size",
        "retention.facts_together",
        "database.pool_size",
    ):
        section, key = name.split(".")
        if getattr(getattr(settings, section), key) < 1:
            yield f"{name} must be at least 1"
    if settings.logging.level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        yield "logging.level must be DEBUG, INFO, WARNING or ERROR"


def _impossible_places(settings: Settings) -> Iterator[str]:
    if not settings.server.host:
        yield "server.host must name the address to listen on, like 127.0.0.1"
    if not _is_plain_address(settings.server.public_url):
        yield "server.public_url must be a web address, like https://signalen.example.org"
    for name, url in {"database.url": settings.database.url, "keystore.url": settings.keystore.url}.items():
        if not _is_database(url):
            yield f"{name} must be sqlite:///file or postgresql+psycopg://user@host/name"


def _is_plain_address(url: str) -> bool:
    """Whether links can begin with it; no message goes out, and no report arrives, with another link."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    bare = not (parts.query or parts.fragment or set(url) & set(" ?#"))
    return parts.scheme in ("http", "https") and bool(parts.hostname) and bare and url.isascii()


def _is_database(url: str) -> bool:
    from sqlalchemy import make_url  # not before there is something to look at
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).drivername in _DRIVERS
    except (ArgumentError, ValueError):  # the words of either repeat the url, which may hold a password
        return False


def _impossible_retention(retention: RetentionSettings) -> Iterator[str]:
    if retention.at_hour > 23:
        yield "retention.at_hour must lie between 0 and 23"
    if retention.journal_days < COPIES_LIVE_DAYS:
        yield f"retention.journal_days must be at least {COPIES_LIVE_DAYS}, as long as copies of keys live"


def _impossible_sending(settings: Settings) -> Iterator[str]:
    if settings.notifications.smtp_security not in ("starttls", "tls", "none"):
        yield "notifications.smtp_security must be starttls, tls or none"
    if 0 < len(settings.twilio.missing) < TWILIO_SETTINGS:
        yield f"{settings.twilio.missing[0]} is missing: text messages need all of twilio, or none"
    yield from _unreadable(settings)
    if settings.metrics.worker_port > 65535:
        yield "metrics.worker_port must lie between 0 and 65535"


def _unreadable(settings: Settings) -> Iterator[str]:
    """Files with what providers gave us; the public side sends nothing and needs none."""
    files = {
        "notifications.smtp_password_file": settings.notifications.smtp_password_file,
        "twilio.auth_token_file": settings.twilio.auth_token_file,
    }
    for name, path in files.items():
        if settings.holds_keys and path is not None and not (path.is_file() and os.access(path, os.R_OK)):
            yield f"{name} cannot be read: put there what the provider gave you, readable for this user"


def _whole_numbers(settings: Settings) -> Iterator[tuple[str, int]]:
    for section in fields(settings):
        value = getattr(settings, section.name)
        if not is_dataclass(value):
            continue
        for entry in fields(value):
            number = getattr(value, entry.name)
            if type(number) is int:
                yield f"{section.name}.{entry.name}", number


def _unsafe(settings: Settings) -> Iterator[str]:
    if settings.debug:
        yield "debug must be false in production"
    if settings.logging.level == "DEBUG":
        yield "logging.level must not be DEBUG in production"
    if not settings.server.public_url.startswith("https://"):
        yield "server.public_url must begin with https:// in production"
    if settings.role is ProcessRole.ALL:
        yield "role must be front, desk or worker in production, so that the public side holds no keys"
    if settings.sessions.password_memory_kib < 65536:
        yield "sessions.password_memory_kib must be at least 65536 (64 MiB) in production"
    if settings.limits.open_reports_per_area_and_day < LEAST_LIMIT:
        yield f"limits.open_reports_per_area_and_day must be at least {LEAST_LIMIT}: its alarm tells a number"
    yield from _unsafe_sending(settings)
    if settings.holds_keys and settings.keystore.url == settings.database.url:
        yield "keystore.url must be another database than database.url: a stolen copy would hold its keys"
    yield from _unsafe_secrets(settings)


def _unsafe_sending(settings: Settings) -> Iterator[str]:
    if settings.notifications.mail_folder is not None:
        yield "notifications.mail_folder is for the demo: set notifications.smtp_host in production"
    if settings.role is ProcessRole.WORKER and not settings.notifications.smtp_host:
        yield "notifications.smtp_host is missing: without it no team hears of a signal"
    if settings.role is ProcessRole.WORKER and settings.notifications.smtp_security == "none":
        yield "notifications.smtp_security must be starttls or tls in production"
    if not settings.twilio.api_url.startswith("https://"):
        yield "twilio.api_url must begin with https:// in production: the account's token goes along"
    if settings.notifications.delay_minutes < 15:
        yield "notifications.delay_minutes must be at least 15: a shorter delay tells when a report came"


def _unsafe_secrets(settings: Settings) -> Iterator[str]:
    if settings.holds_keys and _lies_within(settings.keystore.master_key_file, settings.data_folder):
        yield "keystore.master_key_file must lie outside data_folder in production"
    if settings.holds_keys and not settings.keystore.master_key_file.is_file():
        yield (
            "keystore.master_key_file does not exist: put back the file that the keystore was made or last"
            " rotated with (a copy lies in the safe); a new installation makes it with"
            " 'signals keys new-master FILE'"
        )
    if settings.serves_public and _lies_within(settings.front.secret_file, settings.data_folder):
        yield "front.secret_file must lie outside data_folder in production"
    if settings.serves_public and not settings.front.secret_file.is_file():
        yield "front.secret_file does not exist: make it with 'signals keys new-master FILE'"
    if settings.serves_public and not settings.front.root_public_key:
        yield "front.root_public_key is missing: read it with 'signals keys list' where the keystore is"


def _lies_within(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _read_toml(path: Path, *, required: bool, problems: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if required:
            problems.append(f"the settings file {path.name} does not exist")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"the settings file {path.name} cannot be read: {type(error).__name__}")
    except tomllib.TOMLDecodeError as error:
        problems.append(f"the settings file {path.name} is not valid TOML: {error}")
    return {}


def _lay_environment_over(tree: dict[str, Any], environ: Mapping[str, str], problems: list[str]) -> None:
    for variable, text in environ.items():
        if not variable.startswith(ENVIRONMENT_PREFIX):
            continue
        *sections, key = variable.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
        place = tree
        for section in sections:
            nested = place.setdefault(section, {})
            if not isinstance(nested, dict):
                problems.append(f"{variable}: {section} is not a section")
                break
            place = nested
        else:
            place[key] = _FromEnvironment(text)


class _FromEnvironment(str):
    """A value still to be parsed by its field's type: the environment knows text only."""


def _build(kind: type[Any], tree: Mapping[str, Any], prefix: str, problems: list[str]) -> Any:
    hints = get_type_hints(kind)
    problems.extend(f"{prefix}{unknown} is not a setting" for unknown in sorted(set(tree) - set(hints)))
    values: dict[str, Any] = {}
    for name in tree.keys() & hints.keys():
        values[name] = _value(hints[name], tree[name], f"{prefix}{name}", problems)
    return kind(**{name: value for name, value in values.items() if value is not _REFUSED})


_REFUSED = object()


def _value(hint: Any, raw: Any, name: str, problems: list[str]) -> Any:
    if is_dataclass(hint):
        if isinstance(raw, Mapping):
            return _build(hint, raw, f"{name}.", problems)  # type: ignore[arg-type]
        problems.append(f"{name} must be a section")
        return _REFUSED
    if type(None) in get_args(hint):
        if raw == "":
            return None
        hint = next(option for option in get_args(hint) if option is not type(None))
    try:
        return _convert(hint, raw)
    except ValueError:
        problems.append(f"{name} must be {_described(hint)}")
        return _REFUSED


def _convert(hint: Any, raw: Any) -> Any:
    text = str(raw) if isinstance(raw, _FromEnvironment) else None
    if hint is bool:
        return _boolean(raw, text)
    if hint in (int, float) and text is not None:
        return hint(text)
    if hint is float and type(raw) in (int, float):
        return float(raw)
    if hint is int and type(raw) is int:
        return raw
    if hint in (int, float) or not isinstance(raw, str):
        raise ValueError
    return hint(text if text is not None else raw)


def _boolean(raw: Any, text: str | None) -> bool:
    if text is not None and text.lower() in ("true", "1", "yes", "false", "0", "no"):
        return text.lower() in ("true", "1", "yes")
    if type(raw) is bool:
        return raw
    raise ValueError


def _described(hint: Any) -> str:
    if hasattr(hint, "__members__"):
        return "one of " + ", ".join(member.value for member in hint)
    return {bool: "true or false", int: "a whole number", float: "a number"}.get(hint, "text")


def _anchor(settings: Settings, base: Path) -> Settings:
    """Relative places count from the settings file, so that no command depends on the working folder."""

    def at(path: Path) -> Path:
        return path if path.is_absolute() else base / path

    notifications, token_file = settings.notifications, settings.twilio.auth_token_file
    return replace(
        settings,
        data_folder=at(settings.data_folder),
        database=replace(settings.database, url=_anchor_sqlite(settings.database.url, base)),
        keystore=replace(
            settings.keystore,
            url=_anchor_sqlite(settings.keystore.url, base),
            master_key_file=at(settings.keystore.master_key_file),
        ),
        front=replace(settings.front, secret_file=at(settings.front.secret_file)),
        retention=replace(settings.retention, journal_file=at(settings.retention.journal_file)),
        twilio=replace(settings.twilio, auth_token_file=at(token_file) if token_file else None),
        notifications=replace(
            notifications,
            mail_folder=at(notifications.mail_folder) if notifications.mail_folder else None,
            smtp_password_file=at(notifications.smtp_password_file)
            if notifications.smtp_password_file
            else None,
        ),
    )


def _anchor_sqlite(url: str, base: Path) -> str:
    prefix = "sqlite:///"
    path = url.removeprefix(prefix)
    if not url.startswith(prefix) or path in ("", ":memory:") or path.startswith("/"):
        return url
    return f"{prefix}{base / path}"
