"""Identities, their references and the kept pictures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "identities",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "name",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("name", name="uq_identities_name"),
    )
    op.create_table(
        "face_references",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("reference_id", sa.String(32), nullable=False),
        sa.Column(
            "identity_id",
            sa.Integer,
            sa.ForeignKey(
                "identities.id", ondelete="CASCADE", name="fk_face_references_identity_id"
            ),
            nullable=False,
        ),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("embedding", sa.LargeBinary, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("landmarks", sa.LargeBinary, nullable=False),
        sa.Column("quality", sa.Float(53), nullable=False),
        sa.Column("filename", sa.Text, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("reference_id", name="uq_face_references_reference_id"),
        sa.UniqueConstraint(
            "identity_id", "content_hash", name="uq_face_references_identity_id_content_hash"
        ),
    )
    op.create_table(
        "reference_images",
        sa.Column(
            "id",
            sa.Integer,
            sa.ForeignKey("face_references.id", ondelete="CASCADE", name="fk_reference_images_id"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
