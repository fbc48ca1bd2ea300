"""Let PostgreSQL give keys of cases to the desk's role for a committed audit entry only.

`receipts.issue` in the main database checks the entry and gives a receipt. `receipts.keys` in the keystore's
database checks the receipt and gives the wrapped keys. Both know a secret that the desk's role cannot read.
That role may not read the keys itself. `signals keys grants` runs this as the owner of both databases.
"""

import secrets
from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, Engine, text

from privacy.keystore.receipts import DOMAIN
from signals.audit.admission import OPENING, RECENT
from signals.operations.database_roles import FenceRefused

_SIZE: Final = 32
_BLOCK: Final = 64
"""Bytes of a block of SHA-256: HMAC pads its key to it."""


def apply(database: Engine, keystore: Engine, *, desk: str) -> None:
    """Make schema, functions and rights in both databases, with one secret; safe to run again.

    Raises `FenceRefused` when one of them is not on PostgreSQL, or lacks the role of the desk.
    """
    if {database.dialect.name, keystore.dialect.name} != {"postgresql"}:
        raise FenceRefused("database and keystore must be on PostgreSQL: SQLite has no roles")
    with keystore.begin() as keys, database.begin() as rows:
        for connection, statements in ((keys, _of_keystore(desk)), (rows, _of_database(desk))):
            _refuse_unfit(connection, desk)
            for statement in statements:
                connection.exec_driver_sql(statement)
        _share_secret(keys, rows)


def _refuse_unfit(connection: Connection, desk: str) -> None:
    row = connection.execute(_ABOUT_ROLE, {"role": desk}).one_or_none()
    if row is None:
        raise FenceRefused(f"there is no role {desk} on the server of {connection.engine.url.database}")
    if row.unfit:
        raise FenceRefused(f"the role {desk} is a superuser or a member of this owner: nothing holds it")


def _share_secret(*connections: Connection) -> None:
    """Keep the secret when both have the same one; else make a new one for both."""
    known = {
        connection.execute(text("SELECT inside FROM receipts.secret")).scalar() for connection in connections
    }
    if len(known) == 1 and None not in known:
        return
    key = secrets.token_bytes(_SIZE).ljust(_BLOCK, b"\x00")
    pads = {name: bytes(byte ^ pad for byte in key) for name, pad in (("inside", 0x36), ("outside", 0x5C))}
    for connection in connections:
        connection.execute(text("DELETE FROM receipts.secret"))
        connection.execute(
            text("INSERT INTO receipts.secret (inside, outside) VALUES (:inside, :outside)"), pads
        )


def _of_both(desk: str) -> Iterator[str]:
    yield "CREATE SCHEMA IF NOT EXISTS receipts"
    yield f'GRANT USAGE ON SCHEMA receipts TO "{desk}"'
    yield "CREATE TABLE IF NOT EXISTS receipts.secret (inside bytea NOT NULL, outside bytea NOT NULL)"
    yield _MAC


def _only_execute(desk: str, function: str) -> Iterator[str]:
    yield f'REVOKE ALL ON ALL TABLES IN SCHEMA receipts FROM PUBLIC, "{desk}"'
    yield f'REVOKE ALL ON ALL FUNCTIONS IN SCHEMA receipts FROM PUBLIC, "{desk}"'
    yield f'GRANT EXECUTE ON FUNCTION receipts.{function} TO "{desk}"'


def _of_database(desk: str) -> Iterator[str]:
    yield from _of_both(desk)
    yield _ISSUE
    yield "CREATE TABLE IF NOT EXISTS receipts.spent_keys (key_id uuid PRIMARY KEY)"
    yield _KEEP_KEY
    yield _KEPT_KEYS
    yield from _only_execute(desk, "issue")


def _of_keystore(desk: str) -> Iterator[str]:
    yield from _of_both(desk)
    yield _KEYS
    yield from _only_execute(desk, "keys")
    yield f'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, "{desk}"'
    for table, granted in KEYSTORE_RIGHTS.items():
        yield f'GRANT {granted} ON public.{table} TO "{desk}"'


KEYSTORE_RIGHTS: Final = {
    # Its lock keeps the master key from being rotated during a write; the lock needs some right to update.
    "master_versions": "SELECT, UPDATE (version)",
    "mailbox_keys": "SELECT (key_id, organisation_id, week, public_key, signature)",
    "case_keys": "SELECT (key_id, created_on), INSERT, DELETE",
    "pseudonym_keys": "SELECT, INSERT",
    "secrets": "SELECT, INSERT",
}
"""All that the desk's role may do in the keystore; a test compares it with the tables."""

_ABOUT_ROLE: Final = text(
    "SELECT rolsuper OR pg_has_role(oid, current_user, 'MEMBER') AS unfit FROM pg_roles WHERE rolname = :role"
)
_OPENING: Final = ", ".join(f"'{action.value}'" for action in OPENING)
_DEFINER: Final = "SECURITY DEFINER SET search_path = pg_catalog, pg_temp"

# The functions below hold constants of this code, and no value from outside.
_MAC: Final = f"""\
CREATE OR REPLACE FUNCTION receipts.mac(opens text, entry uuid, keys uuid[]) RETURNS bytea
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT sha256(outside || sha256(inside || '\\x{DOMAIN.hex()}'::bytea || convert_to(opens, 'UTF8')
    || '\\x00'::bytea || uuid_send(entry)
    || (SELECT string_agg(uuid_send(key), ''::bytea ORDER BY place)
        FROM unnest(keys) WITH ORDINALITY AS each (key, place))))
  FROM receipts.secret
$$"""  # noqa: S608 - see above
"""HMAC-SHA256 as `privacy.keystore.receipts.receipt_mac`, by functions that every PostgreSQL has."""

_ISSUE: Final = f"""\
CREATE OR REPLACE FUNCTION receipts.issue(
  opens text, entry uuid, signals uuid[], OUT keys uuid[], OUT mac bytea
) LANGUAGE plpgsql STABLE {_DEFINER} AS $$
DECLARE
  found_entry public.audit_entries;
  digest text := encode(sha256(
    (SELECT string_agg(uuid_send(id), ''::bytea ORDER BY id) FROM unnest(signals) AS each (id))), 'hex');
BEGIN
  -- A transaction that wrote something sees its own entries before they are committed.
  IF pg_current_xact_id_if_assigned() IS NOT NULL THEN RETURN; END IF;
  PERFORM set_config('signals.maintenance', 'on', true);  -- the owner of the tables sees rows only so
  SELECT * INTO found_entry FROM public.audit_entries AS e WHERE e.id = entry
    AND abs(extract(epoch FROM now() - e.at)) <= {int(RECENT.total_seconds())};
  IF opens = 'list' AND found_entry.action = 'summaries_read'
      AND found_entry.ground = 'queue:' || left(digest, 32) THEN
    SELECT array_agg(s.case_key_id ORDER BY s.case_key_id) INTO keys FROM public.signals AS s
      WHERE s.id = ANY (signals) AND s.organisation_id = found_entry.organisation_id;
  ELSIF opens = 'case' AND found_entry.action IN ({_OPENING})
      AND signals = ARRAY[found_entry.subject_id] THEN
    SELECT ARRAY[s.case_key_id] INTO keys FROM public.signals AS s
      JOIN public.staff_members AS m ON m.id = found_entry.actor_id AND m.disabled_at IS NULL
        AND NOT EXISTS (SELECT FROM public.stopped_accounts AS p
          WHERE p.staff_member_id = m.id AND p.released_at IS NULL)
      WHERE s.id = found_entry.subject_id AND (s.organisation_id = found_entry.organisation_id
        OR found_entry.ground = 'take_back' AND s.pending_from_id = found_entry.organisation_id
        OR found_entry.action = 'signal_erased' AND EXISTS (SELECT FROM public.referrals AS r
          WHERE r.signal_id = s.id AND r.from_organisation_id = found_entry.organisation_id
            AND r.reason <> 'take_back'));
  END IF;
  IF keys IS NOT NULL THEN mac := receipts.mac(opens, entry, keys); END IF;
END $$"""  # noqa: S608 - see above

# `issue` reads the key's id in the signal, so the desk must not put another signal's key there.
_KEEP_KEY: Final = f"""\
CREATE OR REPLACE FUNCTION receipts.keep_key() RETURNS trigger LANGUAGE plpgsql {_DEFINER} AS $$
BEGIN
  PERFORM set_config('signals.maintenance', 'on', true);
  IF TG_OP = 'UPDATE' THEN
    IF NEW.id = OLD.id AND NEW.case_key_id = OLD.case_key_id THEN RETURN NULL; END IF;
    IF NEW.id <> OLD.id OR current_setting('transaction_isolation') <> 'read committed'
        OR EXISTS (SELECT FROM receipts.spent_keys AS k WHERE k.key_id = NEW.case_key_id)
        OR EXISTS (SELECT FROM public.signals AS s
          WHERE s.case_key_id = NEW.case_key_id AND s.id <> NEW.id) THEN
      RAISE insufficient_privilege USING MESSAGE = 'a signal gets a new key only';
    END IF;
  END IF;
  INSERT INTO receipts.spent_keys VALUES (OLD.case_key_id) ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$"""  # noqa: S608 - see above
_KEPT_KEYS: Final = """\
CREATE OR REPLACE TRIGGER keep_key AFTER UPDATE OF id, case_key_id OR DELETE ON public.signals
FOR EACH ROW EXECUTE FUNCTION receipts.keep_key()"""

_KEYS: Final = f"""\
CREATE OR REPLACE FUNCTION receipts.keys(opens text, entry uuid, wanted uuid[], receipt bytea)
RETURNS TABLE (key_id uuid, wrapped bytea) LANGUAGE plpgsql STABLE {_DEFINER} AS $$
#variable_conflict use_column
BEGIN
  IF receipts.mac(opens, entry, wanted) = receipt THEN
    RETURN QUERY SELECT c.key_id, CASE opens WHEN 'case' THEN c.wrapped ELSE c.summary END
      FROM public.case_keys AS c WHERE c.key_id = ANY (wanted);
  ELSE
    RAISE insufficient_privilege USING MESSAGE = 'the key of a case needs a receipt';
  END IF;
END $$"""  # noqa: S608 - see above
