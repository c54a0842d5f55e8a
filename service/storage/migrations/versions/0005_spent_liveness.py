"""Sessions and tokens of liveness that were used: each counts once, at whatever replica."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "spent_liveness",
        sa.Column("spent_id", sa.String(32), nullable=False),
        sa.Column("until", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("spent_id", name="pk_spent_liveness"),
    )
    op.create_index("ix_spent_liveness_until", "spent_liveness", ["until"])
