"""The examples of docs/deploy fit the settings: each role starts in production with its unit and its file."""

import os
import re
import subprocess
import tomllib
from base64 import b64encode
from pathlib import Path

import pytest
from sqlalchemy import make_url

from notifications.callbacks import PATH
from privacy.secret_files import write_new_secret_file
from signals.errors import SettingsProblem
from signals.operations.setup.answers import Answers
from signals.operations.setup.files import SECRETS, Machine, files, needed
from signals.settings import load_settings
from signals.vocabulary import Environment
from tests.support.project_files import project_files

PROJECT = Path(__file__).parents[2]
DEPLOY = PROJECT / "docs" / "deploy"
ROLES = ("front", "desk", "worker")
ROOT_KEY = b64encode(b"r" * 32).decode()
HARDENED = {
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "MemoryDenyWriteExecute=yes",
    "SystemCallFilter=@system-service",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
    "IPAddressDeny=any",
    "LimitCORE=0",
}


def environment_of(role: str, credentials: Path) -> dict[str, str]:
    """Return the environment that systemd gives this unit; `%d` is the folder of its credentials."""
    text = (DEPLOY / f"signals-{role}.service").read_text()
    found = re.findall(r'^Environment="?([A-Z_]+)=(.*?)"?$', text, re.MULTILINE)
    return {name: value.replace("%d", str(credentials)) for name, value in found}


def test_an_issuer_starts_in_production_with_its_example_and_its_unit(tmp_path: Path) -> None:
    write_new_secret_file(tmp_path / "issuer.key")
    settings = load_settings(DEPLOY / "issuer.toml", environment_of("issuer", tmp_path))
    assert (settings.role, settings.environment) == ("issuer", Environment.PRODUCTION)
    assert set((DEPLOY / "signals-issuer.service").read_text().splitlines()) >= HARDENED


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    for name in ("front.key", "master.key"):
        write_new_secret_file(tmp_path / name)
    (tmp_path / "smtp.password").write_text("given by the provider\n")
    return tmp_path


@pytest.mark.parametrize("role", ROLES)
def test_a_role_starts_in_production_with_its_example_and_its_unit(role: str, credentials: Path) -> None:
    environment = environment_of(role, credentials) | {"SIGNALS__FRONT__ROOT_PUBLIC_KEY": ROOT_KEY}
    settings = load_settings(DEPLOY / f"{role}.toml", environment)
    assert (settings.role, settings.environment) == (role, Environment.PRODUCTION)
    database = make_url(settings.database.url)
    assert (database.username, database.password) == (f"signals_{role}", None)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_given_the_secrets_that_it_needs_and_no_other(role: str) -> None:
    loaded = re.findall(
        r"^LoadCredential=([\w.]+):", (DEPLOY / f"signals-{role}.service").read_text(), re.MULTILINE
    )
    assert ("front.key" in loaded) == (role == "front")
    assert ("master.key" in loaded) == (role != "front")
    assert ("keystore.key" in loaded) == (role == "worker")


def test_a_front_with_the_root_key_of_the_example_is_refused(credentials: Path) -> None:
    """A front once accepted it: it trusted no key of the keystore, and every report failed."""
    with pytest.raises(
        SettingsProblem, match=r"front\.root_public_key is missing, malformed or a placeholder"
    ):
        load_settings(DEPLOY / "front.toml", environment_of("front", credentials))


def test_a_front_without_its_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsProblem, match=r"front\.secret_file"):
        load_settings(DEPLOY / "front.toml", environment_of("front", tmp_path))


def test_a_worker_without_the_password_of_its_mail_server_is_refused(credentials: Path) -> None:
    (credentials / "smtp.password").unlink()
    with pytest.raises(SettingsProblem, match="smtp_password_file cannot be read"):
        load_settings(DEPLOY / "worker.toml", environment_of("worker", credentials))


@pytest.mark.parametrize("unit", sorted(DEPLOY.glob("*.service"), key=str), ids=lambda unit: str(unit.name))
def test_every_unit_is_hardened(unit: Path) -> None:
    assert set(unit.read_text().splitlines()) >= HARDENED


@pytest.mark.parametrize("unit", sorted(DEPLOY.glob("*.service"), key=str), ids=lambda unit: str(unit.name))
def test_every_unit_starts_what_the_installation_of_the_document_makes(unit: Path) -> None:
    """`make build` in /opt/signals: the environment is .venv there, the rest is in the repository."""
    named = re.findall(r"/opt/signals/(\S+)", unit.read_text())
    made = {name for name in named if name.startswith(".venv/")}
    assert made <= {".venv/bin/signals", ".venv/bin/python"}
    assert made
    assert all((PROJECT / name).is_file() for name in set(named) - made)
    document = (PROJECT / "docs/deployment.md").read_text()
    assert "cd /opt/signals" in document
    assert "make build" in document


@pytest.mark.parametrize("name", ["front", "desk", "worker", "backup", "journal"])
def test_setup_makes_or_asks_for_everything_that_a_unit_needs_on_the_machine(name: str) -> None:
    """Accounts, folders, secrets and the settings file, or systemd refuses to start it."""
    machine = Machine(Answers(database_host="db", mail_user="signals"))
    made = {str(file.path) for file in files(machine)} | {str(path) for path in needed(machine)}
    made |= {"/etc/signals/front.toml", f"{SECRETS}/front.key", f"{SECRETS}/master.key"}
    text = (DEPLOY / f"signals-{name}.service").read_text()
    named = set(re.findall(r"(/etc/signals/[\w./-]+\.\w+)", text))
    assert named - made == set()
    accounts = (DEPLOY / "signals-sysusers.conf").read_text() + (DEPLOY / "signals-tmpfiles.conf").read_text()
    for account_or_folder in re.findall(r"^(?:User|ReadWritePaths)=(\S+)", text, re.MULTILINE):
        assert f" {account_or_folder} " in accounts


def test_the_files_that_the_code_reads_are_in_its_package() -> None:
    """`pip install .` takes them along; the database could not be made without `migrations/versions/HEAD`."""
    packaged = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    found = {
        file for name, globs in packaged.items() for glob in globs for file in (PROJECT / name).glob(glob)
    }
    read = {
        PROJECT / name
        for name in project_files()
        if name.partition("/")[0] in packaged and not name.endswith((".py", ".md"))
    }
    assert read - found == set()


def test_an_administrator_has_the_settings_of_the_worker(tmp_path: Path) -> None:
    """A shell reads the settings; systemd copies the worker's secrets from those of root."""
    script = f"set -a; . {DEPLOY}/admin.env; env -0"
    environment = subprocess.run(["sh", "-c", script], env={}, capture_output=True, text=True, check=True)
    given = dict(line.split("=", 1) for line in environment.stdout.split("\0") if line.startswith("SIGNALS_"))
    assert given.pop("SIGNALS_CONFIG") == "/etc/signals/worker.toml"
    unit = (DEPLOY / "signals-worker.service").read_text()
    ours = environment_of("worker", Path("/etc/signals/secrets"))
    for name, file in re.findall(r"^LoadCredential=([\w.]+):(\S+)", unit, re.MULTILINE):
        ours = {key: value.replace(f"/etc/signals/secrets/{name}", file) for key, value in ours.items()}
    assert given == ours


def test_a_command_as_the_worker_has_account_folder_settings_and_secrets_of_its_unit(tmp_path: Path) -> None:
    """A systemd-run of the test prints its arguments."""
    (tmp_path / "systemd-run").write_text("#!/bin/sh\nprintf '%s\\0' \"$@\"\n")
    (tmp_path / "systemd-run").chmod(0o700)
    unit = DEPLOY / "signals-worker.service"
    done = subprocess.run(
        ["sh", str(DEPLOY / "signals-as-worker"), "retention", "replay", "a b.journal"],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "SIGNALS_UNIT": str(unit)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    given = done.stdout.removesuffix("\0").split("\0")
    asked = ["retention", "replay", "a b.journal"]
    assert given[-6:] == ["/opt/signals/.venv/bin/signals", "--config", "/etc/signals/worker.toml", *asked]
    (name,) = (option.removeprefix("--unit=") for option in given if option.startswith("--unit="))
    told = unit.read_text().replace("%d", f"/run/credentials/{name}.service").splitlines()
    alike = ("Environment=", "LoadCredential=", "StateDirectory", "DynamicUser=", "UMask=")
    assert {option.removeprefix("--property=") for option in given if option.startswith("--property=")} == {
        "User=signals-worker",
        *(line for line in told if line.startswith(alike)),
    }


def test_the_proxy_in_front_of_carriers_keeps_and_passes_on_nothing_about_them() -> None:
    text = (DEPLOY / "nginx.conf").read_text()
    public = text[text.index("# The public side.") : text.index("# The staff's side")]
    assert "access_log off;" in public
    assert "error_log /dev/null emerg;" in public
    for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "User-Agent", "Referer", "Cookie"):
        assert f'proxy_set_header {header} "";' in public
    assert not re.search(r"\$(remote_addr|binary_remote_addr|http_|proxy_add|realip|request_uri;)", public)
    (log_format,) = re.findall(r"log_format \w+ '(.*)';", text)
    assert set(re.findall(r"\$\w+", log_format)) == {
        "$time_iso8601", "$server_name", "$request_method", "$status", "$body_bytes_sent", "$request_time",
    }  # fmt: skip


def test_the_proxy_lets_twilio_reach_its_one_path_and_passes_on_nothing_about_the_caller() -> None:
    text = (DEPLOY / "nginx.conf").read_text()
    desk = text[text.index("# The staff's side") :]
    assert "deny all;" in desk.split("location")[0]
    (place,) = re.findall(rf"location = {re.escape(PATH)} {{(.*?)}}", desk, re.DOTALL)
    assert "allow all;" in place
    for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "User-Agent", "Referer", "Cookie"):
        assert f'proxy_set_header {header} "";' in place
