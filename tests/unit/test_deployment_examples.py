"""The examples of docs/deploy fit the settings: each role starts in production with its unit and its file."""

import re
from pathlib import Path

import pytest
from sqlalchemy import make_url

from notifications.callbacks import PATH
from privacy.secret_files import write_new_secret_file
from signals.errors import SettingsProblem
from signals.settings import load_settings
from signals.vocabulary import Environment

DEPLOY = Path(__file__).parents[2] / "docs" / "deploy"
ROLES = ("front", "desk", "worker")
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
    """What systemd gives a process of this unit; `%d` is the folder of its credentials."""
    text = (DEPLOY / f"signals-{role}.service").read_text()
    found = re.findall(r'^Environment="?([A-Z_]+)=(.*?)"?$', text, re.MULTILINE)
    return {name: value.replace("%d", str(credentials)) for name, value in found}


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    for name in ("front.key", "master.key"):
        write_new_secret_file(tmp_path / name)
    (tmp_path / "smtp.password").write_text("given by the provider\n")
    return tmp_path


@pytest.mark.parametrize("role", ROLES)
def test_a_role_starts_in_production_with_its_example_and_its_unit(role: str, credentials: Path) -> None:
    settings = load_settings(DEPLOY / f"{role}.toml", environment_of(role, credentials))
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
    assert ("keystore.key" in loaded) == (role != "front")


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


@pytest.mark.parametrize("unit", sorted(DEPLOY.glob("*.timer"), key=str), ids=lambda unit: str(unit.name))
def test_every_timer_has_its_service(unit: Path) -> None:
    assert unit.with_suffix(".service").is_file()


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
