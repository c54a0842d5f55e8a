"""The revision of each identity's references.

Those that are there begin at 0, which none that is made later has but by a
chance of 1 in 2^63. The column is added in place: SQLite makes a table anew for
other changes, and with it would go what hangs on its rows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "identities", sa.Column("revision", sa.BigInteger, nullable=False, server_default="0")
    )
