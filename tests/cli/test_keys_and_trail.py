"""The commands that list, rotate and sweep keys and that check the trail."""

import base64
import json
import stat
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy import select, text

from privacy.keystore import WrongMasterKey, open_keystore
from privacy.secret_files import load_master_key
from signals.app import make_worker
from signals.clock import SystemClock, today
from signals.db import make_engine
from signals.models import MailboxPublicKey, Organisation
from tests.support.commands import Signals, insert_rows, problems, rows, statements, waiting_report
from tests.support.installation import settings_in


# keys
def test_list_shows_the_root_that_the_front_trusts_and_no_private_half(signals: Signals) -> None:
    settings = settings_in(signals.folder)
    found = signals.json("keys", "list")
    assert found["root_public_key"] == settings.front.root_public_key
    assert len(found["mailbox_keys"]) == 2 * 5
    keystore = open_keystore(settings.keystore.url, load_master_key(settings.keystore.master_key_file))
    private = keystore.mailbox_private_keys(half.key_id for half in keystore.list_mailbox_keys())
    keystore.dispose()
    assert not any(base64.b64encode(key).decode() in json.dumps(found) for key in private.values())


def test_after_rotation_only_the_new_master_key_opens(signals: Signals) -> None:
    new = signals.folder / "new.key"
    signals("keys", "new-master", str(new))
    assert "keystore.master_key_file" in signals("keys", "rotate", str(new))
    signals("keys", "list", code=1)
    assert _fits(signals, new)
    assert not _fits(signals, settings_in(signals.folder).keystore.master_key_file)


def test_a_rotation_that_cannot_be_noted_changes_no_key(signals: Signals) -> None:
    new = signals.folder / "new.key"
    signals("keys", "new-master", str(new))
    full = "CREATE TRIGGER full BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'full'); END"
    statements(signals, text(full))
    signals("keys", "rotate", str(new), code=1)
    assert not _fits(signals, new)
    assert _fits(signals, settings_in(signals.folder).keystore.master_key_file)


def _fits(signals: Signals, master_key: Path) -> bool:
    keystore = open_keystore(settings_in(signals.folder).keystore.url, load_master_key(master_key))
    try:
        keystore.ping()
    except WrongMasterKey:
        return False
    finally:
        keystore.dispose()
    return True


def test_a_new_secret_is_its_owners_and_never_written_over_another(signals: Signals) -> None:
    file = signals.folder / "new.key"
    signals("keys", "new-master", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    signals("keys", "new-master", str(file), code=1)
    assert file.read_bytes() == before


def test_sweep_destroys_what_nothing_needs_and_keeps_the_rest(signals: Signals) -> None:
    settings, day = settings_in(signals.folder), today(SystemClock())
    keystore = open_keystore(settings.keystore.url, load_master_key(settings.keystore.master_key_file))
    orphan, fresh = uuid4(), uuid4()
    keystore.store_case_keys({orphan: bytes(32)}, created_on=day - timedelta(days=2))
    keystore.store_case_keys({fresh: bytes(32)}, created_on=day)
    organisation_id = rows(signals, select(Organisation.id))[0]
    over = keystore.make_mailbox_key(organisation_id, day - timedelta(weeks=3))
    waited_for = keystore.make_mailbox_key(organisation_id, day - timedelta(weeks=4))
    insert_rows(signals, MailboxPublicKey(**vars(over)), waiting_report(organisation_id, waited_for.key_id))
    assert "case keys" in problems(signals)
    assert "Keys of no signal" in signals("keys", "sweep", code=1)
    assert signals.json("keys", "sweep", "--even-most") == {"case_keys": 1, "mailbox_keys": 1}
    assert list(keystore.case_key_ids()) == [fresh]
    kept = {half.key_id for half in keystore.list_mailbox_keys()}
    keystore.dispose()
    assert over.key_id not in kept
    assert waited_for.key_id in kept
    assert over.key_id not in rows(signals, select(MailboxPublicKey.key_id))
    assert signals.json("keys", "sweep") == {"case_keys": 0, "mailbox_keys": 0}


# audit
def test_a_record_that_nobody_touched_is_whole(signals: Signals) -> None:
    link(signals)
    assert signals.json("audit", "verify")["ok"]


def test_a_head_kept_elsewhere_finds_a_trail_that_was_begun_anew(signals: Signals) -> None:
    link(signals)
    head = signals.file("heads.jsonl", signals("audit", "head", "--json"))
    signals("audit", "verify", "--head", head)
    for table in ("audit_links", "audit_heads", "audit_entries"):
        engine = make_engine(settings_in(signals.folder).database.url)
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DELETE FROM {table}")
        engine.dispose()
    signals("audit", "verify")
    assert signals.json("audit", "verify", "--head", head, code=1)["findings"][0]["kind"] == "truncated"


def test_a_file_without_a_head_is_called_wrongly(signals: Signals) -> None:
    signals("audit", "verify", "--head", signals.file("heads.jsonl", '{"position": 1}'), code=2)


def test_a_head_that_was_cut_off_is_passed_over_with_a_word(signals: Signals) -> None:
    """A crash cuts off a head; a later run of an earlier release goes on in the same line."""
    link(signals)
    whole = signals("audit", "head", "--json")
    for end, warns in ((whole[:40], True), (whole[:40] + whole, False)):
        head = signals.file("heads.jsonl", whole + end)
        said = "The end of heads.jsonl cannot be read" in signals("audit", "verify", "--head", head)
        assert (said, signals.json("audit", "verify", "--head", head)["ok"]) == (warns, True)
    for wrong in (whole[:40], whole + '{"position": 1}'):
        signals("audit", "verify", "--head", signals.file("heads.jsonl", wrong), code=2)


def test_the_head_in_a_saved_and_folded_mail_finds_that_the_end_of_the_trail_is_gone(
    signals: Signals,
) -> None:
    link(signals)
    head = signals("audit", "head", "--json").strip()
    mail = f"> Bewaar deze e-mail.\n>\n> {head[:70]}\n> {head[70:]}\n>\n> U kunt niet antwoorden.\n"
    saved = signals.file("mail.txt", mail)
    assert signals.json("audit", "verify", "--head", saved)["ok"]
    for table in ("audit_links", "audit_heads", "audit_entries"):
        statements(signals, text(f"DELETE FROM {table}"))
    assert signals.json("audit", "verify", "--head", saved, code=1)["findings"][0]["kind"] == "truncated"


def link(signals: Signals) -> None:
    worker = make_worker(settings_in(signals.folder))
    worker.link_audit()
    worker.close()
