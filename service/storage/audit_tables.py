"""The tables of the audit log: its rows, and the one row that says how many there are.

Triggers refuse to change or replace a row, and to delete one that is not below the
head's base: they keep accidents away. Against who means it, the chain makes a change
known (`audit_chain`). SQLite's REPLACE deletes without asking the trigger on
deletions, so that an insertion onto a row is refused by one of its own.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, Text

HEAD_ID: Final = 1
# SQLite gives this form to its own row number, which has 64 bits there.
_COUNT = BigInteger().with_variant(Integer, "sqlite")

TRIGGERS: Final = {
    "audit_log_no_update": "BEFORE UPDATE ON audit_log",
    "audit_log_no_delete": "BEFORE DELETE ON audit_log WHEN OLD.number > "
    "coalesce((SELECT base_count FROM audit_head WHERE id = 1), 0)",
    "audit_log_no_replace": "BEFORE INSERT ON audit_log WHEN EXISTS "
    "(SELECT 1 FROM audit_log WHERE number = NEW.number)",
}
"""By name: when each refuses, in SQLite."""

POSTGRES_TRIGGERS: Final = {
    "audit_log_no_update": "BEFORE UPDATE ON audit_log FOR EACH ROW",
    "audit_log_no_delete": "BEFORE DELETE ON audit_log FOR EACH ROW WHEN (OLD.number > "
    "audit_base())",
    "audit_log_no_truncate": "BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT",
}
"""The same in PostgreSQL, where a key that is there already refuses by itself."""

POSTGRES_FUNCTIONS: Final = (
    """CREATE OR REPLACE FUNCTION audit_base() RETURNS bigint LANGUAGE sql STABLE AS
    $$ SELECT coalesce((SELECT base_count FROM audit_head WHERE id = 1), 0) $$""",
    """CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$""",
)

audit_metadata = MetaData()

audit_log = Table(
    "audit_log",
    audit_metadata,
    # 1, 2, ... without a gap: given by the chain, not by the database.
    Column("number", _COUNT, primary_key=True, autoincrement=False),
    # Microseconds since 1970, UTC: read back as the very number that was chained.
    Column("at_us", BigInteger, nullable=False),
    Column("actor", Text, nullable=True),
    Column("collection", Text, nullable=False),
    Column("action", Text, nullable=False),
    # The pseudonym of an identity.
    Column("subject", String(64), nullable=True),
    Column("outcome", Text, nullable=False),
    # JSON
    Column("details", Text, nullable=False),
    Column("request_id", Text, nullable=True),
    Column("mac", String(64), nullable=False),
)

audit_head = Table(
    "audit_head",
    audit_metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # The last row that was pruned, and the last that was written; 0 for none.
    Column("base_count", BigInteger, nullable=False),
    Column("base_mac", String(64), nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("mac", String(64), nullable=False),
    Column("seal", String(64), nullable=False),
)
