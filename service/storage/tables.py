"""The tables, as SQLAlchemy sees them.

    identities 1 ──< face_references 1 ──0..1 reference_images

A picture has a table of its own, so that listing and verifying never read its
bytes. Deleting a row deletes what hangs on it. `migrations` makes these tables;
a test checks that both say the same.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from service.storage.column_types import Float32Array, UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Names are equal only code point by code point, and sorted by code point: what
# SQLite does unasked, and PostgreSQL in the collation "C".
_EXACT_TEXT = Text().with_variant(Text(collation="C"), "postgresql")

identities = Table(
    "identities",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", _EXACT_TEXT, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    # Of the references: another one with each change; see `revisions`.
    Column("revision", BigInteger, nullable=False, server_default="0"),
)

face_references = Table(
    "face_references",
    metadata,
    # Grows with every reference: its order is the order of enrolment.
    Column("id", Integer, primary_key=True),
    Column("reference_id", String(32), nullable=False, unique=True),
    Column(
        "identity_id",
        Integer,
        ForeignKey("identities.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("content_hash", String(64), nullable=False),
    Column("embedding", Float32Array(-1), nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("landmarks", Float32Array(5, 2), nullable=False),
    Column("quality", Float(53), nullable=False),
    Column("filename", Text, nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
    # Also the index by which the references of an identity are found.
    UniqueConstraint("identity_id", "content_hash"),
)

reference_images = Table(
    "reference_images",
    metadata,
    Column(
        "id",
        Integer,
        ForeignKey("face_references.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("media_type", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
