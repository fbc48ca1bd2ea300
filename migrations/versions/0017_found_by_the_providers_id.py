"""A message is found by its provider's id: each call about a text message read the whole outbox for it."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_NAME = "ix_outbox_messages_provider_message_id"
_GIVEN = "provider_message_id IS NOT NULL"


def upgrade() -> None:
    op.create_index(
        _NAME,
        "outbox_messages",
        ["provider_message_id"],
        sqlite_where=sa.text(_GIVEN),
        postgresql_where=sa.text(_GIVEN),
    )


def downgrade() -> None:
    op.drop_index(_NAME, table_name="outbox_messages")
