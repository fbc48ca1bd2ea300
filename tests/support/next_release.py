"""Migrations of a release that comes after this one, which only expand, as docs/contributing.md says."""

import os
from pathlib import Path

import pytest
from alembic.config import Config
from sqlalchemy import Engine

import migrations

EXPANDING = '''\
"""Expand what the public side writes to."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "next_release", "{head}"


def upgrade() -> None:
    """Add what the next release needs."""
    op.add_column("idempotency_keys", sa.Column("added", sa.String(20)))
    op.add_column("sealed_reports", sa.Column("added", sa.Integer, nullable=False, server_default="0"))
    op.add_column("unproven_days", sa.Column("added", sa.Boolean, nullable=False, server_default=sa.true()))
    op.create_index("ix_sealed_reports_added", "sealed_reports", ["added"])
    op.create_table("added", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("UPDATE sealed_reports SET added = 1")


def downgrade() -> None:
    """Take it away."""
'''


def release_the_next(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `migrations.upgrade` find the migrations of a next release too, from now on."""
    usual = migrations._config
    folder.mkdir()
    (folder / "next_release.py").write_text(EXPANDING.format(head=migrations.head()), encoding="utf-8")

    def with_next(engine: Engine) -> Config:
        config = usual(engine)
        config.set_main_option("path_separator", "os")
        config.set_main_option("version_locations", os.pathsep.join([str(migrations._VERSIONS), str(folder)]))
        return config

    monkeypatch.setattr(migrations, "_config", with_next)
