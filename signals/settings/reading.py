"""Reading settings: the file, the environment laid over it, and every value by the type of its field."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

from signals.errors import SettingsProblem
from signals.settings.problems import impossible, problems_of
from signals.settings.values import Settings

ENVIRONMENT_PREFIX = "SIGNALS__"
CONFIG_VARIABLE = "SIGNALS_CONFIG"


def load_settings(
    path: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    *,
    check: bool = True,
    must_exist: bool = True,
) -> Settings:
    """Return the settings of this process.

    `path` names the TOML file; the default is `$SIGNALS_CONFIG`, then `config.toml` in the working folder.
    Defaults fill the rest. Relative paths and SQLite files start at the folder of the file.
    `check=False` skips `problems_of`. `must_exist=False` accepts a named file that is missing.
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
    """Return further problems, without those of values that were refused.

    A refused value has its default here. Without a valid role, nothing is asked that depends on the role.
    """
    refused = {problem.split()[0] for problem in problems}
    found = impossible(settings) if {"role", "environment"} & refused else problems_of(settings)
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
        return base / path

    def at_any(path: Path | None) -> Path | None:
        return base / path if path else None

    notifications = settings.notifications
    return replace(
        settings,
        data_folder=at(settings.data_folder),
        ca_file=at_any(settings.ca_file),
        scheme=replace(settings.scheme, mark_file=at_any(settings.scheme.mark_file)),
        database=replace(settings.database, url=_anchor_sqlite(settings.database.url, base)),
        keystore=replace(
            settings.keystore,
            url=_anchor_sqlite(settings.keystore.url, base),
            master_key_file=at(settings.keystore.master_key_file),
        ),
        front=replace(
            settings.front,
            secret_file=at(settings.front.secret_file),
            issuers_file=at(settings.front.issuers_file),
        ),
        issuer=replace(
            settings.issuer,
            database_url=_anchor_sqlite(settings.issuer.database_url, base),
            secret_file=at(settings.issuer.secret_file),
        ),
        retention=replace(settings.retention, journal_file=at(settings.retention.journal_file)),
        figures=replace(settings.figures, ledger_file=at(settings.figures.ledger_file)),
        sessions=replace(
            settings.sessions, provider_secrets_folder=at(settings.sessions.provider_secrets_folder)
        ),
        twilio=replace(settings.twilio, auth_token_file=at_any(settings.twilio.auth_token_file)),
        systems=replace(settings.systems, secrets_folder=at_any(settings.systems.secrets_folder)),
        notifications=replace(
            notifications,
            mail_folder=at_any(notifications.mail_folder),
            smtp_password_file=at_any(notifications.smtp_password_file),
        ),
    )


def _anchor_sqlite(url: str, base: Path) -> str:
    prefix = "sqlite:///"
    path = url.removeprefix(prefix)
    if not url.startswith(prefix) or path in ("", ":memory:") or path.startswith("/"):
        return url
    return f"{prefix}{base / path}"
