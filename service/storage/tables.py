"""The tables, as SQLAlchemy sees them.

    identities 1 ──< face_references 1 ──0..1 reference_images
    api_keys 1 ──< key_usage
    spent_liveness
    gallery_changes                 see `changes`
    audit_log, audit_head           see `audit_tables`

The name of an identity is that of its collection, a slash, and its own
(`queries.within`): no name holds a slash.

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
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from service.storage.column_types import UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Of a row: 64 bits. SQLite gives this form to its own row number, which has as many.
_NUMBER = BigInteger().with_variant(Integer, "sqlite")

# Names are equal only code point by code point, and sorted by code point: what
# SQLite does unasked, and PostgreSQL in the collation "C".
_EXACT_TEXT = Text().with_variant(Text(collation="C"), "postgresql")

identities = Table(
    "identities",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("name", _EXACT_TEXT, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    # Of the references: another one with each change; see `revisions`.
    Column("revision", BigInteger, nullable=False, server_default="0"),
    # Its data key in the file of keys (data_keys.py). None before encryption (encrypt.py).
    Column("data_key", String(32), nullable=True),
    # Consent and metadata, sealed.
    Column("details", LargeBinary, nullable=True),
    # Seconds since 1970 of the latest verification, to the day or so.
    Column("used_at", Float(53), nullable=True),
    # Verifications in vain since the last that was not, and when the latest was.
    Column("failures", Integer, nullable=False, server_default="0"),
    # Seconds since 1970: read without SQLAlchemy, which alone makes times of a database's.
    Column("failed_at", Float(53), nullable=True),
)

face_references = Table(
    "face_references",
    metadata,
    # Grows with every reference: its order is the order of enrolment.
    Column("id", _NUMBER, primary_key=True),
    Column("reference_id", String(32), nullable=False, unique=True),
    Column(
        "identity_id",
        _NUMBER,
        ForeignKey("identities.id", ondelete="CASCADE"),
        nullable=False,
    ),
    # Keyed: `sealing.image_digest`.
    Column("content_hash", String(64), nullable=False),
    # Sealed, as is the picture below: `sealing.Seal`.
    Column("embedding", LargeBinary, nullable=False),
    Column("details", LargeBinary, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("quality", Float(53), nullable=False),
    # Of before encryption; None since, as `details` has it.
    Column("filename", Text, nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
    # Also the index by which the references of an identity are found.
    UniqueConstraint("identity_id", "content_hash"),
    # Those of one model in order of enrolment; and whether a model has any.
    Index(None, "fingerprint", "id"),
)

reference_images = Table(
    "reference_images",
    metadata,
    Column(
        "id",
        _NUMBER,
        ForeignKey("face_references.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("media_type", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("key_id", String(16), nullable=False, unique=True),
    Column("digest", String(64), nullable=False),
    Column("name", Text, nullable=False),
    # Words with a space between.
    Column("scopes", Text, nullable=False),
    Column("collection", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=True),
    Column("revoked_at", UtcDateTime, nullable=True),
    Column("rate_per_minute", Integer, nullable=True),
    Column("quota_per_day", Integer, nullable=True),
)

key_usage = Table(
    "key_usage",
    metadata,
    Column("key_id", String(16), ForeignKey("api_keys.key_id"), primary_key=True),
    # YYYY-MM-DD, UTC
    Column("day", String(10), primary_key=True),
    Column("requests", Integer, nullable=False),
)

spent_liveness = Table(
    "spent_liveness",
    metadata,
    # Of a session or a token; says nothing of whose it was.
    Column("spent_id", String(32), primary_key=True),
    # Seconds since 1970: it could not be used again from then on anyway.
    Column("until", Float(53), nullable=False),
    Index(None, "until"),
)

gallery_changes = Table(
    "gallery_changes",
    metadata,
    # Grows: the row with the highest is never deleted.
    Column("number", _NUMBER, primary_key=True),
    # Of an identity that may be gone.
    Column("identity_id", _NUMBER, nullable=False),
    # Seconds since 1970.
    Column("at", Float(53), nullable=False),
    # PostgreSQL's id of the transaction; 0 in SQLite.
    Column("writer", BigInteger, nullable=False),
    Index(None, "writer"),
)
