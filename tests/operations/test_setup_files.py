"""The files that `signals setup` makes for a machine, and its questions."""

import os
import shutil
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from signals.cli import main
from signals.errors import SettingsProblem
from signals.operations.setup.answers import QUESTIONS, Answers, ask, checked
from signals.operations.setup.databases import rewrite
from signals.operations.setup.files import File, Machine, files, front_settings, needed
from signals.operations.setup.plan import keep_password
from signals.operations.setup.writing import writing
from tests.support.fresh_machine import run_as_the_tests_do
from tests.support.postgres_programs import account_to_run_as, private_folder

ONE: dict[str, object] = {
    "public_name": "meldpunt.voorbeeld.nl", "desk_name": "desk.voorbeeld.nl", "offices": ["203.0.113.0/24"],
    "mail_host": "mail.voorbeeld.nl", "mail_addresses": ["203.0.113.7"], "sender": "post@voorbeeld.nl",
}  # fmt: skip
APART: dict[str, object] = {
    "database_host": "db.voorbeeld.nl", "database_address": "203.0.113.8",
    "keystore_host": "keys.voorbeeld.nl", "keystore_address": "203.0.113.9",
}  # fmt: skip
EXAMPLES = ("example.org", "192.0.2.", "198.51.100.")


def made(answers: Answers) -> dict[str, File]:
    return {file.path.name: file for file in files(Machine(answers))}


@pytest.mark.parametrize("more", [{}, APART], ids=["one machine", "several machines"])
def test_no_file_keeps_a_name_of_the_examples(more: dict[str, object]) -> None:
    answers = checked(ONE | more)
    everything = [*files(Machine(answers)), front_settings(Machine(answers), "")]
    assert len(everything) == 16
    assert [file.path for file in everything if any(name in file.text for name in EXAMPLES)] == []
    assert made(answers)["admin.env"].mode == 0o600


def test_a_database_of_this_machine_needs_no_certificate_and_one_elsewhere_does() -> None:
    here, apart = made(checked(ONE)), made(checked(ONE | APART))
    socket = "postgresql+psycopg://signals_worker@/signals?host=/run/postgresql"
    assert f'"SIGNALS__DATABASE__URL={socket}"' in here["signals-worker.service"].text
    assert f'SIGNALS__DATABASE__URL="{socket}"' in here["admin.env"].text
    assert "database.crt" not in here["signals-backup.service"].text
    assert "signals_keys@keys.voorbeeld.nl/signals_keys?sslmode=verify-full" in apart["admin.env"].text
    allowed = [line for line in apart["signals-worker.service"].text.splitlines() if "IPAddressAllow" in line]
    assert [line.partition("=")[2] for line in allowed] == [
        "localhost", "203.0.113.8", "203.0.113.9", "203.0.113.7",
    ]  # fmt: skip


def test_a_front_alone_gets_its_own_site_and_secrets_only() -> None:
    root = "r" * 43 + "="
    answers = checked(ONE | APART | {"processes": ["front"], "root_public_key": root})
    machine = Machine(answers)
    assert set(made(answers)) == {"setup.toml", "signals-front.service", "nginx.conf"}
    proxy = made(answers)["nginx.conf"].text
    assert "desk.voorbeeld.nl" not in proxy
    assert proxy.count("server_name meldpunt.voorbeeld.nl;") == 2
    assert proxy.count("{") == proxy.count("}")
    assert f'root_public_key = "{root}"' in front_settings(machine, root).text
    assert {path.name for path in needed(machine)} == {
        "ca.crt", "front-database.crt", "front-database.key", "front.key",
        "meldpunt.voorbeeld.nl.crt", "meldpunt.voorbeeld.nl.key",
    }  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"public_name": "a b"}, {"offices": ["x; allow all"]}, {"offices": []}, {"sender": 'x"@y'},
        {"database_host": "db.voorbeeld.nl"}, {"processes": ["front"]}, {"processes": ["all"]},
        {"colour": ""}, {"mail_security": "none"}, {"socket": "/run\nx"}, {"mail_port": "25"},
        {"mail_user": "a\nb"},
    ],
    ids=str,
)  # fmt: skip
def test_an_answer_that_cannot_stand_in_a_file_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsProblem):
        checked(ONE | wrong)


def test_questions_are_asked_for_what_the_machine_needs_only() -> None:
    said = iter(["worker desk front backup", "meldpunt.voorbeeld.nl", "desk.voorbeeld.nl", "203.0.113.0/24"])
    asked = []

    def prompt(question: str, *, default: object) -> object:
        asked.append(question)
        return next(said, {QUESTIONS["mail_host"]: "mail.voorbeeld.nl", QUESTIONS["sender"]: "a@b.nl"}.get(
            question, default
        ))  # fmt: skip

    answers = ask(prompt)
    assert (answers.offices, answers.mail_port, answers.is_local) == (("203.0.113.0/24",), 587, True)
    assert {QUESTIONS["socket"], QUESTIONS["keystore_host"]}.isdisjoint(asked)
    assert QUESTIONS["root_public_key"] not in asked


def test_a_file_that_somebody_adapted_stays_until_the_release_changes_it_too(tmp_path: Path) -> None:
    file = File(path=tmp_path / "front.toml", text="a = 1\n")
    write(file, tmp_path)
    assert writing(file, tmp_path) is None
    newer = replace(file, text="a = 2\n")
    assert "change" in write(newer, tmp_path)
    assert (tmp_path / "front.toml.old").read_text() == "a = 1\n"
    file.path.write_text("a = 2\nb = 3\n")
    assert writing(newer, tmp_path) is None
    newest = replace(file, text="a = 4\n")
    assert "you changed front.toml" in write(newest, tmp_path)
    assert file.path.read_text() == "a = 2\nb = 3\n"
    assert (tmp_path / "front.toml.new").read_text() == "a = 4\n"
    assert writing(newest, tmp_path) is None


def write(file: File, folder: Path) -> str:
    step = writing(file, folder)
    assert step
    step.act()
    return step.says


def test_a_file_of_the_distribution_is_replaced_and_kept(tmp_path: Path) -> None:
    (tmp_path / "nginx.conf").write_text("theirs\n")
    assert "keep nginx.conf.old" in write(File(path=tmp_path / "nginx.conf", text="ours\n"), tmp_path)
    assert (tmp_path / "nginx.conf.old").read_text() == "theirs\n"


def test_a_password_is_for_root_only_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "secrets/smtp.password"
    keep_password(path, "given")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with pytest.raises(FileExistsError):
        keep_password(path, "other")


def test_root_follows_no_link_that_the_account_of_postgresql_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_as_the_tests_do(monkeypatch)
    theirs = private_folder(account_to_run_as(), None)
    roots = tmp_path / "shadow"
    roots.write_text("secret\n")
    roots.chmod(0o400)
    try:
        (theirs / "pg_hba.conf").write_text("theirs\n")
        (theirs / "pg_hba.conf.new").symlink_to(roots)
        with pytest.raises(PermissionError):
            rewrite(theirs / "pg_hba.conf", "ours\n")
    finally:
        shutil.rmtree(theirs)
    assert roots.read_text() == "secret\n"


def test_the_sql_for_an_administrator_of_a_server_is_whole() -> None:
    printed = CliRunner().invoke(main, ["setup", "--sql", "keystore"]).output
    assert "CREATE DATABASE signals_keys OWNER signals_keys;" in printed
    assert "CREATE DATABASE signals OWNER" not in printed
