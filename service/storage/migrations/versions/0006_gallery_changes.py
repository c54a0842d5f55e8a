"""Which identities have changed, for indexes in memory; see `service.storage.changes`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "gallery_changes",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("identity_id", _NUMBER, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("writer", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_gallery_changes"),
    )
    op.create_index("ix_gallery_changes_writer", "gallery_changes", ["writer"])
