"""Row numbers of 64 bits, and an index of references by model.

SQLite's row numbers have 64 bits anyway. In PostgreSQL the tables are made anew by
this, once; who has more than some million references plans an hour for it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NUMBERS = (
    ("identities", "id"),
    ("face_references", "id"),
    ("face_references", "identity_id"),
    ("reference_images", "id"),
    ("api_keys", "id"),
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, column in _NUMBERS:
            op.alter_column(table, column, type_=sa.BigInteger, existing_nullable=False)
        for table in ("identities", "face_references", "api_keys"):
            op.execute(f"ALTER SEQUENCE {table}_id_seq AS bigint")
    op.create_index("ix_face_references_fingerprint_id", "face_references", ["fingerprint", "id"])
