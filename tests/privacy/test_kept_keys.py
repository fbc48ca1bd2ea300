"""Keys that the keystore makes, finds, hands on and destroys, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from privacy.keystore import KeyGone, Keystore
from privacy.sealing import PublicKeyRefused, verify_public_key
from tests.support.keystores import AMSTERDAM, GRONINGEN, HAREN, KEYS, MASTER, Opener


class TestMailboxKeys:
    def test_one_is_signed_by_the_root(self, keystore: Keystore) -> None:
        key = keystore.make_mailbox_key(AMSTERDAM, date(2026, 10, 5))
        verify = partial(
            verify_public_key,
            keystore.root_public_key(),
            key_id=key.key_id,
            week=date(2026, 10, 5),
            public_key=key.public_key,
            signature=key.signature,
        )
        verify(organisation_id=AMSTERDAM)
        with pytest.raises(PublicKeyRefused):
            verify(organisation_id=GRONINGEN)

    def test_many_come_in_the_order_of_the_pairs(self, keystore: Keystore) -> None:
        existing = keystore.make_mailbox_key(GRONINGEN, date(2026, 10, 12))
        pairs = [
            (GRONINGEN, date(2026, 10, 12)),
            (AMSTERDAM, date(2026, 10, 5)),
            (AMSTERDAM, date(2026, 10, 12)),
        ]
        keys = keystore.make_mailbox_keys(pairs)
        assert [(key.organisation_id, key.week) for key in keys] == pairs
        assert keys[0] == existing
        assert len(keystore.list_mailbox_keys()) == 3

    def test_two_at_once_make_one(self, keystore: Keystore, another: Opener) -> None:
        stores = [another(MASTER) for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda store: store.make_mailbox_key(AMSTERDAM, date(2026, 10, 5)), stores))
        assert set(made) == set(keystore.list_mailbox_keys())
        assert len(keystore.list_mailbox_keys()) == 1

    def test_a_destroyed_one_is_left_out(self, keystore: Keystore) -> None:
        key = keystore.make_mailbox_key(AMSTERDAM, date(2026, 10, 5))
        assert keystore.destroy_mailbox_keys([key.key_id]) == 1
        assert keystore.mailbox_private_keys([key.key_id]) == {}
        assert keystore.list_mailbox_keys() == []

    def test_without_a_root_there_are_none(self, another: Opener) -> None:
        store = another(MASTER)
        store.create_schema()
        with pytest.raises(KeyGone):
            store.make_mailbox_key(AMSTERDAM, date(2026, 10, 5))


class TestCaseKeys:
    def test_many_are_stored_at_once_and_found(self, keystore: Keystore) -> None:
        keystore.store_case_keys(KEYS)
        assert keystore.case_keys([*KEYS, UUID(int=99)]) == KEYS
        assert keystore.case_key(UUID(int=10)) == KEYS[UUID(int=10)]

    def test_an_id_that_exists_stores_none_of_the_batch(self, keystore: Keystore) -> None:
        keystore.store_case_keys({UUID(int=12): bytes(32)})
        with pytest.raises(IntegrityError):
            keystore.store_case_keys(KEYS)
        assert list(keystore.case_key_ids()) == [UUID(int=12)]

    def test_a_destroyed_one_is_gone(self, keystore: Keystore) -> None:
        keystore.store_case_keys(KEYS)
        assert keystore.destroy_case_keys([UUID(int=10), UUID(int=99)]) == 1
        with pytest.raises(KeyGone):
            keystore.case_key(UUID(int=10))

    def test_the_sweep_sees_those_made_before_a_date(self, keystore: Keystore) -> None:
        keystore.store_case_keys({UUID(int=1): bytes(32)}, created_on=date(2026, 10, 1))
        keystore.store_case_keys({UUID(int=2): bytes(32)}, created_on=date(2026, 10, 2))
        assert list(keystore.case_key_ids(date(2026, 10, 2))) == [UUID(int=1)]
        assert list(keystore.case_key_ids()) == [UUID(int=1), UUID(int=2)]

    def test_the_sweep_goes_on_over_many_pages_while_it_destroys(
        self, keystore: Keystore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("privacy.keystore.cases.CHUNK", 2)
        keystore.store_case_keys(KEYS)
        seen = []
        for key_id in keystore.case_key_ids():
            seen.append(key_id)
            keystore.destroy_case_keys([key_id])
        assert seen == list(KEYS)
        assert keystore.counts()["case_keys"] == 0


class TestPseudonymKeys:
    def test_each_organisation_and_quarter_has_its_own(self, keystore: Keystore) -> None:
        pairs = [(AMSTERDAM, "2026-Q3"), (AMSTERDAM, "2026-Q4"), (GRONINGEN, "2026-Q4")]
        keys = keystore.pseudonym_keys_for(pairs)
        assert set(keys) == set(pairs)
        assert len({bytes(key) for key in keys.values()}) == 3

    def test_two_at_once_make_one(self, keystore: Keystore, another: Opener) -> None:
        stores = [another(MASTER) for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda store: store.pseudonym_key(AMSTERDAM, "2026-Q4"), stores))
        assert len(set(made)) == 1
        assert keystore.counts()["pseudonym_keys"] == 1

    def test_the_keystore_destroys_pseudonym_keys_of_old_quarters(self, keystore: Keystore) -> None:
        old = keystore.pseudonym_key(AMSTERDAM, "2025-Q3")
        kept = keystore.pseudonym_key(AMSTERDAM, "2025-Q4")
        assert keystore.destroy_pseudonym_keys("2025-Q4") == 1
        assert keystore.pseudonym_keys(AMSTERDAM, ["2025-Q3", "2025-Q4"]) == {"2025-Q4": kept}
        assert keystore.pseudonym_key(AMSTERDAM, "2025-Q3") != old

    def test_a_successor_matches_under_its_own_key_first_and_the_adopted_one(
        self, keystore: Keystore
    ) -> None:
        haren = keystore.pseudonym_key(HAREN, "2026-Q4")
        groningen = keystore.pseudonym_key(GRONINGEN, "2026-Q4")
        assert keystore.adopt_pseudonym_keys(HAREN, GRONINGEN) == 1
        pair = (GRONINGEN, "2026-Q4")
        assert keystore.matching_keys([pair]) == {pair: (groningen, haren)}
        assert keystore.pseudonym_key(GRONINGEN, "2026-Q4") == groningen
        assert keystore.pseudonym_keys(HAREN, ["2026-Q4"]) == {}

    def test_an_adopted_key_is_never_used_for_new_pseudonyms(self, keystore: Keystore) -> None:
        haren = keystore.pseudonym_key(HAREN, "2026-Q4")
        keystore.adopt_pseudonym_keys(HAREN, GRONINGEN)
        assert keystore.pseudonym_key(GRONINGEN, "2026-Q4") != haren

    def test_adopted_keys_are_handed_on_in_the_next_merger(self, keystore: Keystore) -> None:
        haren = keystore.pseudonym_key(HAREN, "2026-Q4")
        keystore.adopt_pseudonym_keys(HAREN, GRONINGEN)
        keystore.adopt_pseudonym_keys(GRONINGEN, AMSTERDAM)
        assert keystore.matching_keys([(AMSTERDAM, "2026-Q4")])[AMSTERDAM, "2026-Q4"] == (haren,)

    def test_the_cache_forgets_a_key_that_another_process_destroyed_after_a_minute(
        self, keystore: Keystore, another: Opener, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = [1000.0]
        monkeypatch.setattr("privacy.keystore.pseudonym_keys.time.monotonic", lambda: now[0])
        key = keystore.pseudonym_key(AMSTERDAM, "2025-Q3")
        another(MASTER).destroy_pseudonym_keys("2025-Q4")
        now[0] += 59
        assert keystore.pseudonym_keys(AMSTERDAM, ["2025-Q3"]) == {"2025-Q3": key}
        now[0] += 2
        assert keystore.pseudonym_keys(AMSTERDAM, ["2025-Q3"]) == {}


class TestSecrets:
    def test_a_name_always_gives_the_same_32_bytes(self, keystore: Keystore, another: Opener) -> None:
        secret = keystore.secret("audit-mac")
        assert len(secret) == 32
        assert another(MASTER).secret("audit-mac") == secret
        assert keystore.secret("totp_seal") != secret

    def test_two_at_once_make_one(self, keystore: Keystore, another: Opener) -> None:
        stores = [another(MASTER) for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            assert len(set(pool.map(lambda store: store.secret("audit-mac"), stores))) == 1

    @pytest.mark.parametrize("name", ["", "root/ed25519", "Audit", "a b", "a" * 65])
    def test_no_other_name_is_taken(self, keystore: Keystore, name: str) -> None:
        with pytest.raises(ValueError, match="name"):
            keystore.secret(name)
