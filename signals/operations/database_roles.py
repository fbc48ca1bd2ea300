"""Limit in PostgreSQL what the role of each process may do with each table.

`RIGHTS` and `row_fences.FENCES` are the facts; `statements` makes the SQL from them. The owner of the tables
applies it after each migration, and may apply it again at any time. Roles own nothing and bypass nothing.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import Connection, Engine, text

from signals.operations.row_fences import FENCES, Fence

Role = Literal["front", "desk", "worker"]
Columns = tuple[str, ...]

ALL: Final[Columns] = ("*",)
NONE: Final[Columns] = ()
VERSION_TABLE: Final = "alembic_version"
_PREFIX: Final = "signals_"  # of every policy made here, so that those of an older release are removed
_LOCK: Final = 0x4772_616E
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")


@dataclass(frozen=True, kw_only=True)
class Roles:
    """The database roles of the three processes."""

    front: str = "signals_front"
    desk: str = "signals_desk"
    worker: str = "signals_worker"

    def __post_init__(self) -> None:
        for name in self.names:
            if not _NAME.fullmatch(name):
                raise ValueError(f"not a plain role name: {name!r}")
        if len(set(self.names)) < 3:
            raise ValueError("front, desk and worker must be three different roles")

    @property
    def names(self) -> tuple[str, str, str]:
        return self.front, self.desk, self.worker


@dataclass(frozen=True, kw_only=True)
class Rights:
    """The rights of a role on a table; a list of columns limits a right."""

    select: Columns = NONE
    insert: Columns = NONE
    update: Columns = NONE
    delete: bool = False

    def as_sql(self) -> str:
        """Return the list for GRANT."""
        columned = {"SELECT": self.select, "INSERT": self.insert, "UPDATE": self.update}
        parts = [verb + _columns(columns) for verb, columns in columned.items() if columns]
        return ", ".join([*parts, "DELETE"] if self.delete else parts)


def rights(verbs: str) -> Rights:
    """Return rights on all columns: any of S(elect) I(nsert) U(pdate) D(elete)."""
    may = {verb: ALL if verb in verbs else NONE for verb in "SIU"}
    return Rights(select=may["S"], insert=may["I"], update=may["U"], delete="D" in verbs)


_STORED_BY_FRONT: Final[Columns] = (
    "signal_id", "organisation_id", "mailbox_key_id", "schema_version", "received_on", "unrouted",
    "receipt_hash", "profession", "envelope",
)  # fmt: skip
_ROUTED_BY: Final[Columns] = (
    "id", "name", "kind", "agreement_on", "legal_basis", "retention_basis", "suspended_from", "proved_on",
)  # fmt: skip
_MESSAGE_KEYS: Final[Columns] = ("id", "event", "subject_id", "organisation_id", "recipient")

RIGHTS: Final[Mapping[str, Mapping[Role, Rights]]] = {
    # Systems of an organisation: its officer lets content leave there
    "connections": {"desk": rights("SID"), "worker": rights("SD")},
    # What routing needs, and its administration
    "organisations": {"front": Rights(select=_ROUTED_BY), "desk": rights("SIU"), "worker": rights("SIU")},
    "recipients": {
        "front": Rights(select=("organisation_id", "verified_on")),
        "desk": rights("SIUD"),
        "worker": rights("SIUD"),
    },
    "coverage_areas": {"front": rights("S"), "desk": rights("SIUD"), "worker": rights("SIUD")},
    "postcode_municipalities": {"front": rights("S"), "desk": rights("S"), "worker": rights("SIUD")},
    # Public names. The front needs none, so it gets none
    "place_pages": {"desk": rights("S"), "worker": rights("SIUD")},
    "routing_version": {"front": rights("S"), "desk": rights("SU"), "worker": rights("SU")},
    "mailbox_public_keys": {"front": rights("S"), "desk": rights("SI"), "worker": rights("SIUD")},
    # The way in
    "idempotency_keys": {"front": rights("SI"), "worker": rights("SD")},
    "spent_tokens": {"front": rights("I"), "worker": rights("SD")},
    "unproven_days": {"front": rights("SIU"), "worker": rights("SIUD")},
    "sealed_reports": {"front": Rights(insert=_STORED_BY_FRONT), "worker": rights("SUD")},
    # The front reads how far a limit was raised, and not the notifications about it
    "area_days": {
        "front": Rights(select=("organisation_id", "day", "raises")),
        "desk": Rights(select=ALL, update=("raises", "notified_percent")),
        "worker": rights("SIUD"),
    },
    "receipts": {"front": rights("S"), "desk": rights("SIU"), "worker": rights("SIUD")},
    # Follow-up
    "signals": {"desk": rights("SUD"), "worker": rights("SIUD")},
    "contact_attempts": {"desk": rights("SIUD"), "worker": rights("SIUD")},
    "follow_up_notes": {"desk": rights("SIUD"), "worker": rights("SIUD")},
    "status_changes": {"desk": rights("SID"), "worker": rights("SIUD")},
    "address_links": {"desk": rights("SIUD"), "worker": rights("SIUD")},
    "referrals": {
        "desk": Rights(select=ALL, insert=ALL, update=("key_destroyed_on",)),
        "worker": rights("SUD"),
    },
    # Forgetting, and what remains
    "deletion_records": {
        "desk": Rights(select=ALL, insert=ALL, update=("key_destroyed_on",)),
        "worker": rights("SIUD"),
    },
    "deletion_orders": {"desk": rights("SI"), "worker": rights("SD")},
    "retention_periods": {"desk": rights("SIUD"), "worker": rights("S")},
    "register_entries": {"desk": rights("SI"), "worker": rights("SD")},
    # Comparisons: the registration is public, and nobody changes it
    "comparisons": {
        "front": rights("S"),
        "desk": Rights(select=ALL, insert=ALL, update=("stopped_on",)),
        "worker": rights("S"),
    },
    "comparison_teams": {
        "desk": Rights(select=ALL, insert=ALL, update=("takes_part",)),
        "worker": Rights(select=ALL, update=("sealed_place",)),
    },
    "comparison_draws": {"desk": Rights(select=ALL, update=("sealed",)), "worker": rights("SI")},
    # Only the process that counts facts reads them
    "signal_facts": {"desk": rights("I"), "worker": rights("SID")},
    "organisation_years": {"desk": rights("S"), "worker": rights("SI")},
    # Released figures tell nobody about one resident; the front thanks carriers with them
    "publications": {"front": rights("S"), "desk": rights("S"), "worker": rights("SI")},
    # The trail: nobody changes an entry, only the worker prunes
    "audit_entries": {"desk": rights("SI"), "worker": rights("SID")},
    "audit_links": {"worker": rights("SID")},
    "audit_heads": {"worker": rights("SID")},
    # Sign-in, before which no organisation is known
    "staff_members": {"desk": rights("SIU"), "worker": rights("SIU")},
    "staff_sessions": {"desk": rights("SIUD"), "worker": rights("SIUD")},
    "identity_providers": {"desk": rights("SIUD"), "worker": rights("SD")},
    "passkeys": {"desk": rights("SIUD"), "worker": rights("SD")},
    "challenges": {"desk": rights("SIUD"), "worker": rights("SD")},
    "account_links": {"desk": rights("SIUD"), "worker": rights("SIUD")},
    "unknown_sign_ins": {"desk": rights("SIU"), "worker": rights("SD")},
    "sign_in_guesses": {"desk": rights("SIUD"), "worker": rights("SD")},
    "approvals": {"desk": rights("SIU"), "worker": rights("SIUD")},
    "stopped_accounts": {"desk": rights("SIU"), "worker": rights("S")},
    "absences": {"desk": rights("SID"), "worker": rights("SD")},
    # Messages: the desk writes and withdraws its own, and cannot read their text
    "outbox_messages": {
        "desk": Rights(select=_MESSAGE_KEYS, insert=ALL, delete=True),
        "worker": rights("SIUD"),
    },
    "delivery_attempts": {"desk": Rights(select=("id", "message_id"), delete=True), "worker": rights("SIUD")},
    # The desk stores callbacks, and reads only figures about delivery
    "delivery_callbacks": {"desk": rights("I"), "worker": rights("SIUD")},
    "delivery_figures": {"desk": rights("S"), "worker": rights("SIUD")},
    # The desk sees that a dead letter exists, and may retry or drop it
    "posted_letters": {"desk": Rights(select=ALL, update=("wanted",)), "worker": rights("SIUD")},
    "channel_states": {"desk": rights("S"), "worker": rights("SIU")},
    "drills": {"desk": Rights(select=ALL, insert=ALL, update=("answered_on",)), "worker": rights("SIU")},
    # The desk reads how the jobs go, and notes that it warned people
    "job_runs": {"desk": Rights(select=ALL, update=("warned_at",)), "worker": rights("SIUD")},
    "front_keys": {"front": rights("SI"), "worker": rights("SD")},
    VERSION_TABLE: {"desk": rights("S"), "worker": rights("S")},
}
"""A role has no other rights. A test fails when a table is missing."""


class FenceRefused(Exception):
    """A role of the database cannot be limited; the message says why."""


def apply(engine: Engine, roles: Roles, *, create: bool = False) -> None:
    """Grant exactly `RIGHTS` and put up `FENCES`, in one transaction, as the owner of the tables.

    Raises `FenceRefused` when a role is missing (and not `create`), owns tables or bypasses the fences.
    """
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '10s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if create:
            _execute(connection, creation(roles))
        refuse_unfit(connection, roles)
        _execute(connection, statements(roles))


def statements(roles: Roles) -> Iterator[str]:
    """Yield the SQL in order; the owner of the tables runs it in one transaction."""
    yield "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    yield "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC"
    for role in roles.names:
        yield f'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM "{role}"'
        yield f'REVOKE CREATE ON SCHEMA public FROM "{role}"'
        yield f'GRANT USAGE ON SCHEMA public TO "{role}"'
    yield _DROP_POLICIES
    for table, by_role in RIGHTS.items():
        for role, granted in by_role.items():
            yield f'GRANT {granted.as_sql()} ON public."{table}" TO "{getattr(roles, role)}"'
    for table, fence in FENCES.items():
        yield from _fence(table, fence, roles)


def creation(roles: Roles) -> Iterator[str]:
    """Yield SQL that makes missing roles, without the right to log in; it needs CREATEROLE."""
    for role in roles.names:
        yield (
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '{role}')"
            f' THEN CREATE ROLE "{role}" NOLOGIN; END IF; END $$'
        )


def refuse_unfit(connection: Connection, roles: Roles) -> None:
    """Raise `FenceRefused` for a missing role and for one that no fence would hold."""
    for role in roles.names:
        row = connection.execute(_ABOUT_ROLE, {"role": role}).one_or_none()
        if row is None:
            raise FenceRefused(f"there is no role {role}: make it, or use --create")
        if row.bypasses:
            raise FenceRefused(f"the role {role} is a superuser or bypasses row-level security")
        if row.owns:
            raise FenceRefused(
                f"the role {role} owns tables, or is a member of their owner: no fence holds it"
            )


def _fence(table: str, fence: Fence, roles: Roles) -> Iterator[str]:
    where = f'public."{table}"'
    desk, worker = f'TO "{roles.desk}"', f'TO "{roles.worker}"'
    yield f"ALTER TABLE {where} ENABLE ROW LEVEL SECURITY"
    yield f"ALTER TABLE {where} FORCE ROW LEVEL SECURITY"
    yield f"CREATE POLICY {_PREFIX}see ON {where} FOR SELECT {desk} USING ({fence.seen})"
    yield f"CREATE POLICY {_PREFIX}write ON {where} FOR INSERT {desk} WITH CHECK ({fence.written})"
    yield (
        f"CREATE POLICY {_PREFIX}change ON {where} FOR UPDATE {desk}"
        f" USING ({fence.changed}) WITH CHECK ({fence.written})"
    )
    yield f"CREATE POLICY {_PREFIX}delete ON {where} FOR DELETE {desk} USING ({fence.changed})"
    yield f"CREATE POLICY {_PREFIX}work ON {where} FOR ALL {worker} USING (true) WITH CHECK (true)"
    yield (
        f"CREATE POLICY {_PREFIX}maintain ON {where} FOR ALL TO CURRENT_USER"
        " USING (current_setting('signals.maintenance', true) = 'on')"
    )


def _columns(columns: Columns) -> str:
    return "" if columns == ALL else f" ({', '.join(columns)})"


def _execute(connection: Connection, sql: Iterator[str]) -> None:
    for statement in sql:
        connection.exec_driver_sql(statement)


_DROP_POLICIES: Final = """\
DO $$ DECLARE found record; BEGIN
  FOR found IN SELECT policyname, tablename FROM pg_catalog.pg_policies
    WHERE schemaname = 'public' AND starts_with(policyname, 'signals_')
  LOOP EXECUTE 'DROP POLICY ' || quote_ident(found.policyname)
    || ' ON public.' || quote_ident(found.tablename); END LOOP;
END $$"""

_ABOUT_ROLE: Final = text(
    """
    SELECT r.rolsuper OR r.rolbypassrls AS bypasses,
           EXISTS (SELECT FROM pg_catalog.pg_class AS c
                   WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
                     AND pg_catalog.pg_has_role(r.oid, c.relowner, 'MEMBER')) AS owns
    FROM pg_catalog.pg_roles AS r WHERE r.rolname = :role
    """
)
