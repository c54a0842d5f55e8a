"""Keys, collections, verifications in vain, and room for what encryption needs.

What is enrolled goes into the collection "default": its name is put before the
identity's, with a slash, which no identity's name holds. So the one index on names
serves collections too, and no table is made anew. What is stored is encrypted by
`service.storage.encrypt` afterwards: it takes keys, which a migration has not.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE identities SET name = 'default/' || name")
    op.add_column("identities", sa.Column("data_key", sa.String(32), nullable=True))
    op.add_column("identities", sa.Column("details", sa.LargeBinary, nullable=True))
    op.add_column("identities", sa.Column("used_at", sa.Float(53), nullable=True))
    # In place, as no helper of Alembic does it for SQLite.
    op.execute("ALTER TABLE face_references RENAME COLUMN landmarks TO details")
    op.add_column(
        "identities", sa.Column("failures", sa.Integer, nullable=False, server_default="0")
    )
    moment = sa.DateTime(timezone=True)
    op.add_column("identities", sa.Column("failed_at", sa.Float(53), nullable=True))
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("collection", sa.Text, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=True),
        sa.Column("revoked_at", moment, nullable=True),
        sa.Column("rate_per_minute", sa.Integer, nullable=True),
        sa.Column("quota_per_day", sa.Integer, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("key_id", name="uq_api_keys_key_id"),
    )
    op.create_table(
        "key_usage",
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("requests", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("key_id", "day", name="pk_key_usage"),
        sa.ForeignKeyConstraint(
            ["key_id"], ["api_keys.key_id"], name="fk_key_usage_key_id_api_keys"
        ),
    )
