"""Whether a team was told of a signal on arrival; and two constraints less that each arrival paid for."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_NO_ROWID = {"sqlite_with_rowid": False}  # a copy that SQLite makes of a table would have row ids again
_OWNER = "fk_address_links_organisation_id_organisations"


def upgrade() -> None:
    told = sa.Column("team_told", sa.Boolean(), server_default=sa.false(), nullable=False)
    op.add_column("signals", told)
    with op.batch_alter_table("signals", table_kwargs=_NO_ROWID) as signals:
        signals.alter_column("team_told", server_default=None)  # it was for the rows that were there
        signals.drop_constraint("uq_signals_receipt_hash", type_="unique")
    op.drop_index("ix_address_links_house_pseudonym", table_name="address_links")
    with op.batch_alter_table("address_links", table_kwargs=_NO_ROWID) as links:
        links.drop_constraint(_OWNER, type_="foreignkey")
        links.drop_constraint("pk_address_links", type_="primary")
        links.create_primary_key("pk_address_links", ["house_pseudonym", "id"])


def downgrade() -> None:
    _keep_receipts()
    with op.batch_alter_table("address_links", table_kwargs=_NO_ROWID) as links:
        links.drop_constraint("pk_address_links", type_="primary")
        links.create_primary_key("pk_address_links", ["id"])
        links.create_foreign_key(_OWNER, "organisations", ["organisation_id"], ["id"])
    op.create_index("ix_address_links_house_pseudonym", "address_links", ["house_pseudonym"])
    with op.batch_alter_table("signals", table_kwargs=_NO_ROWID) as signals:
        signals.create_unique_constraint("uq_signals_receipt_hash", ["receipt_hash"])
    op.drop_column("signals", "team_told")


def _keep_receipts() -> None:
    """Each signal had a receipt's row from its arrival, and no two signals one receipt."""
    op.execute(
        "UPDATE signals SET receipt_hash = NULL WHERE EXISTS (SELECT 1 FROM signals AS other"
        " WHERE other.receipt_hash = signals.receipt_hash AND other.id < signals.id)"
    )
    op.execute(
        "INSERT INTO receipts (receipt_hash, state, state_before, changed_on)"
        " SELECT receipt_hash, 'received', 'received', received_on FROM signals"
        " WHERE receipt_hash IS NOT NULL AND receipt_hash NOT IN (SELECT receipt_hash FROM receipts)"
    )
