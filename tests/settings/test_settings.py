"""Settings are read from file and environment, checked as a whole, and explained in config.example.toml."""

import tomllib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from privacy.secret_files import write_new_secret_file
from signals.errors import SettingsProblem
from signals.settings import Settings, load_settings
from signals.vocabulary import Environment, ProcessRole

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


def written(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


def problems_of(path: Path, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(SettingsProblem) as refused:
        load_settings(path, environ=environ or {})
    return refused.value.problems


def leaves(tree: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted name, value) of every setting of a TOML tree or of settings."""
    pairs = (
        tree.items() if isinstance(tree, dict) else ((f.name, getattr(tree, f.name)) for f in fields(tree))
    )
    for name, value in pairs:
        if isinstance(value, dict) or is_dataclass(value):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", "" if value is None else value


def production(folder: Path, role: str, more: str = "") -> Path:
    secret = folder / "secret.key"
    if not secret.exists():
        write_new_secret_file(secret)
    return written(
        folder,
        f"""
        environment = "production"
        role = "{role}"
        server.public_url = "https://signalen.example.org"
        keystore.master_key_file = "{secret}"
        front.secret_file = "{secret}"
        front.root_public_key = "{"r" * 43}="
        notifications.smtp_host = "mail.example.org"
        {more}
        """,
    )


def test_the_example_names_every_setting_with_its_default_and_no_other() -> None:
    said = dict(leaves(tomllib.loads(EXAMPLE.read_text())))
    assert said == {
        name: str(value) if isinstance(value, Path) else value for name, value in leaves(Settings())
    }


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(environ={}).server.port == 8000


def test_a_named_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    assert len(problems_of(tmp_path / "none.toml")) == 1


def test_unknown_keys_and_sections_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "colour = 'red'\n[server]\nprot = 80\n[kitchen]\nsink = 1\n")
    assert set(problems_of(path)) == {
        "colour is not a setting",
        "server.prot is not a setting",
        "kitchen is not a setting",
    }


def test_values_of_another_kind_are_refused_without_repeating_them(tmp_path: Path) -> None:
    path = written(tmp_path, "role = 'queen'\n[server]\nport = 'eighty'\n[notes]\nenabled = 'perhaps'\n")
    problems = problems_of(path)
    assert len(problems) == 3
    assert not any(word in problem for problem in problems for word in ("queen", "eighty", "perhaps"))


def test_all_problems_are_listed_at_once(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "[server]\nport = 70000\nthreads = 0\n[notes]\nmax_length = 281\n[arrival]\ninterval_seconds = -1\n",
    )
    problems = "\n".join(problems_of(path))
    for name in ("server.port", "server.threads", "notes.max_length", "arrival.interval_seconds"):
        assert name in problems


def test_settings_list_unknown_names_wrong_types_bad_ranges_and_unsafe_values_at_once(tmp_path: Path) -> None:
    more = (
        "debug = true\nkitchen.sink = 1\nserver.port = 'eighty'\nserver.threads = 0\nnotes.max_length = 'all'"
    )
    environ = {"SIGNALS__FRONT__ROOT_PUBLIC_KEY": "", "SIGNALS__FRONT__SECRET_FILE": "missing.key"}
    named = [problem.split()[0] for problem in problems_of(production(tmp_path, "front", more), environ)]
    assert sorted(named) == [
        "debug",
        "front.root_public_key",
        "front.secret_file",
        "kitchen",
        "notes.max_length",
        "server.port",
        "server.threads",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database.url", "mysql://user:secret@host/name"),
        ("database.url", "postgresql://user:secret@host:port/name"),
        ("database.url", "postgresql+psycopg://user:secret@/name?host=a:5432&host=b:5432"),
        ("keystore.url", "postgresql+psycopg://user:secret@/name?host=a,b"),
        ("keystore.url", "secret"),
        ("server.public_url", "secret.example.org"),
        ("server.public_url", "https://secret.example.org/?x=1"),
        ("server.public_url", "https://secret.example.org/#x"),
        ("server.public_url", "https://[secret"),
        ("server.public_url", "https://secrét.example.org"),
        ("server.host", ""),
        ("scheme.name", "secret\n"),
        ("scheme.name", ""),
        ("scheme.mark_file", "secret.svg"),
        ("desk.map_url", "http://map.example/secret?q={address}"),
        ("desk.map_url", "https://map.example/secret"),
        ("scheme.contact_email", "secret"),
    ],
)
def test_a_place_that_cannot_be_is_named_without_repeating_it(tmp_path: Path, name: str, value: str) -> None:
    section, key = name.upper().split(".")
    (problem,) = problems_of(written(tmp_path, ""), {f"SIGNALS__{section}__{key}": value})
    assert problem.startswith(name)
    assert "secret" not in problem


def test_secrets_are_looked_for_where_they_count_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = production(tmp_path, "desk")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    beside = load_settings(path, environ={"SIGNALS__KEYSTORE__MASTER_KEY_FILE": "secret.key"})
    assert beside.keystore.master_key_file == tmp_path / "secret.key"
    (tmp_path / "var").mkdir()
    write_new_secret_file(tmp_path / "var" / "inside.key")
    inside = {"SIGNALS__KEYSTORE__MASTER_KEY_FILE": str(tmp_path / "var" / "inside.key")}
    assert problems_of(path, inside) == [
        "keystore.master_key_file must lie outside data_folder in production"
    ]


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "role = 'desk'\n[server]\nport = 9000\n[notes]\nenabled = false\n")
    environ = {"SIGNALS__ROLE": "worker", "SIGNALS__SERVER__PORT": "0", "SIGNALS__NOTES__ENABLED": "yes"}
    settings = load_settings(path, environ=environ)
    assert (settings.role, settings.server.port, settings.notes.enabled) == (ProcessRole.WORKER, 0, True)


@pytest.mark.parametrize(
    ("more", "url"),
    [
        ({}, "http://127.0.0.1:8080"),
        ({"SIGNALS__SERVER__PUBLIC_URL": "https://signalen.example.org"}, "https://signalen.example.org"),
    ],
)
def test_links_follow_the_port_until_an_address_is_named(more: dict[str, str], url: str) -> None:
    environ = {"SIGNALS__SERVER__PORT": "8080"} | more
    settings = load_settings(EXAMPLE.with_name("absent.toml"), environ, must_exist=False)
    assert settings.server.public_url == url


def test_the_environment_names_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "[server]\nport = 9000\n")
    assert load_settings(environ={"SIGNALS_CONFIG": str(path)}).server.port == 9000


def test_relative_places_count_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    mark = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z"/></svg>'
    (tmp_path / "conf/mark.svg").write_text(mark)
    said = "[notifications]\nmail_folder = 'mail'\n[scheme]\nmark_file = 'mark.svg'\n"
    settings = load_settings(written(tmp_path / "conf", said), environ={})
    assert settings.database.url == f"sqlite:///{tmp_path}/conf/var/signals.db"
    assert settings.keystore.url == f"sqlite:///{tmp_path}/conf/var/keystore/keystore.db"
    assert settings.keystore.master_key_file == tmp_path / "conf/var/secrets/master.key"
    assert settings.notifications.mail_folder == tmp_path / "conf/mail"
    assert settings.scheme.mark_file == tmp_path / "conf/mark.svg"


@pytest.mark.parametrize("role", ["front", "desk", "worker"])
def test_a_safe_production_is_accepted(role: str, tmp_path: Path) -> None:
    settings = load_settings(production(tmp_path, role), environ={})
    assert settings.environment is Environment.PRODUCTION


@pytest.mark.parametrize(
    ("role", "unsafe", "named"),
    [
        ("front", "debug = true", "debug"),
        ("front", 'logging.level = "DEBUG"', "logging.level"),
        ("all", "", "role"),
        ("desk", "sessions.password_memory_kib = 1024", "sessions.password_memory_kib"),
        ("desk", 'notifications.mail_folder = "mail"', "notifications.mail_folder"),
        ("worker", 'notifications.smtp_security = "none"', "notifications.smtp_security"),
        ("worker", "notifications.delay_minutes = 0", "notifications.delay_minutes"),
        ("worker", 'twilio.api_url = "http://sms.example.org"', "twilio.api_url"),
        ("front", "limits.open_reports_per_area_and_day = 12", "limits.open_reports_per_area_and_day"),
    ],
)
def test_production_refuses(role: str, unsafe: str, named: str, tmp_path: Path) -> None:
    assert any(problem.startswith(named) for problem in problems_of(production(tmp_path, role, unsafe)))


@pytest.mark.parametrize(
    ("role", "variable", "value", "named"),
    [
        ("front", "SIGNALS__SERVER__PUBLIC_URL", "http://signalen.example.org", "server.public_url"),
        ("front", "SIGNALS__FRONT__ROOT_PUBLIC_KEY", "", "front.root_public_key"),
        ("front", "SIGNALS__FRONT__ROOT_PUBLIC_KEY", "A" * 43 + "=", "front.root_public_key"),
        ("front", "SIGNALS__FRONT__ROOT_PUBLIC_KEY", "cmFyYQ", "front.root_public_key"),
        ("front", "SIGNALS__FRONT__SECRET_FILE", "missing.key", "front.secret_file"),
        ("desk", "SIGNALS__KEYSTORE__MASTER_KEY_FILE", "missing.key", "keystore.master_key_file"),
        ("desk", "SIGNALS__KEYSTORE__MASTER_KEY_FILE", "var/secrets/master.key", "keystore.master_key_file"),
        ("worker", "SIGNALS__NOTIFICATIONS__SMTP_HOST", "", "notifications.smtp_host"),
    ],
)
def test_production_refuses_what_is_missing(
    role: str, variable: str, value: str, named: str, tmp_path: Path
) -> None:
    problems = problems_of(production(tmp_path, role), {variable: value})
    assert any(problem.startswith(named) for problem in problems)


def test_a_public_process_in_production_needs_no_master_key(tmp_path: Path) -> None:
    environ = {"SIGNALS__KEYSTORE__MASTER_KEY_FILE": "missing.key"}
    assert load_settings(production(tmp_path, "front"), environ=environ).serves_public


def test_a_file_without_certificates_of_authorities_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("nothing of the kind")
    for name in ("ca.crt", "missing.crt"):
        (problem,) = problems_of(written(tmp_path, f'ca_file = "{name}"'))
        assert problem.startswith("ca_file cannot be read")


def test_a_journal_that_ends_before_the_copies_of_keys_do_is_refused(tmp_path: Path) -> None:
    assert problems_of(written(tmp_path, "[retention]\njournal_days = 13\n")) == [
        "retention.journal_days must be at least 14, as long as copies of keys live"
    ]
    assert load_settings(written(tmp_path, "[retention]\njournal_days = 14\n")).retention.journal_days == 14
