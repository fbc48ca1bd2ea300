"""What waits in a mailbox, apart from what recognises a retry: arrival deletes the one, not the other."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_NO_ROWID = {"sqlite_with_rowid": False}  # a copy that SQLite makes of a table would have row ids again
_KEY = ("idempotency_hash", "body_mac", "receipt_hash", "organisation_id", "received_on", "redactions")
_OF_KEYS_ALONE = ("idempotency_hash", "body_mac", "redactions")
_COLUMNS = (*_KEY, "signal_id", "mailbox_key_id", "schema_version", "unrouted")
_WAITING = "envelope IS NOT NULL AND refused_on IS NULL"
_RANDOM_ID = {"postgresql": "gen_random_uuid()", "sqlite": "lower(hex(randomblob(16)))"}


def upgrade() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("idempotency_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body_mac", sa.LargeBinary(length=32), nullable=False),
        sa.Column("receipt_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("redactions", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("idempotency_hash", name=op.f("pk_idempotency_keys")),
        sa.UniqueConstraint("receipt_hash", name=op.f("uq_idempotency_keys_receipt_hash")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_idempotency_keys_organisation_day", "idempotency_keys", ["organisation_id", "received_on"]
    )
    reports, keys = _table("sealed_reports"), _table("idempotency_keys")
    op.execute(keys.insert().from_select(_KEY, sa.select(*(reports.c[name] for name in _KEY))))
    op.execute("DELETE FROM sealed_reports WHERE envelope IS NULL")
    op.drop_index("ix_sealed_reports_waiting", table_name="sealed_reports")
    op.drop_index("ix_sealed_reports_organisation_day", table_name="sealed_reports")
    with op.batch_alter_table("sealed_reports", table_kwargs=_NO_ROWID) as reports_now:
        reports_now.drop_constraint("pk_sealed_reports", type_="primary")
        reports_now.drop_constraint("uq_sealed_reports_receipt_hash", type_="unique")
        for column in _OF_KEYS_ALONE:
            reports_now.drop_column(column)
        reports_now.alter_column("receipt_hash", nullable=False)
        reports_now.alter_column("envelope", nullable=False)
        reports_now.create_primary_key("pk_sealed_reports", ["signal_id"])


def downgrade() -> None:
    with op.batch_alter_table("sealed_reports", table_kwargs=_NO_ROWID) as reports:
        reports.add_column(sa.Column("idempotency_hash", sa.LargeBinary(length=32), nullable=True))
        reports.add_column(sa.Column("body_mac", sa.LargeBinary(length=32), nullable=True))
        reports.add_column(sa.Column("redactions", sa.String(length=200), nullable=True))
        reports.alter_column("receipt_hash", nullable=True)
        reports.alter_column("envelope", nullable=True)
    _join_what_was_parted()
    with op.batch_alter_table("sealed_reports", table_kwargs=_NO_ROWID) as reports:
        reports.drop_constraint("pk_sealed_reports", type_="primary")
        for column in _OF_KEYS_ALONE:
            reports.alter_column(column, nullable=False)
        reports.create_unique_constraint("uq_sealed_reports_receipt_hash", ["receipt_hash"])
        reports.create_primary_key("pk_sealed_reports", ["idempotency_hash"])
    op.create_index(
        "ix_sealed_reports_organisation_day", "sealed_reports", ["organisation_id", "received_on"]
    )
    op.create_index(
        "ix_sealed_reports_waiting",
        "sealed_reports",
        ["signal_id"],
        sqlite_where=sa.text(_WAITING),
        postgresql_where=sa.text(_WAITING),
    )
    op.drop_table("idempotency_keys")


def _join_what_was_parted() -> None:
    """Each envelope with what recognises its retry; and rows without envelope for what has arrived."""
    reports, keys = _table("sealed_reports"), _table("idempotency_keys")
    otherwise: dict[str, Any] = dict.fromkeys(_OF_KEYS_ALONE, reports.c.receipt_hash)
    otherwise["redactions"] = sa.literal_column("'{}'")
    same = keys.c.receipt_hash == reports.c.receipt_hash
    op.execute(
        reports.update().values(
            {
                name: sa.func.coalesce(sa.select(keys.c[name]).where(same).scalar_subquery(), without)
                for name, without in otherwise.items()
            }
        )
    )
    random_id = sa.literal_column(_RANDOM_ID[op.get_bind().dialect.name])
    arrived = keys.c.idempotency_hash.not_in(sa.select(reports.c.idempotency_hash))
    values = (*(keys.c[name] for name in _KEY), random_id, random_id, sa.literal_column("1"), sa.false())
    op.execute(reports.insert().from_select(_COLUMNS, sa.select(*values).where(arrived)))


def _table(name: str) -> sa.TableClause:
    return sa.table(name, *map(sa.column, _COLUMNS))
