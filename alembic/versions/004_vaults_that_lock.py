"""Entries of vaults and their versions, the keys of vaults, and the sessions that unlock them."""

import sqlalchemy as sa
from alembic import op

revision = "004"
down_revision = "003"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
# Check constraints for SQLite, whose columns take values of any type.
TEXT, BLOB, INTEGER = (f"typeof({{0}}) = '{stored}'" for stored in ("text", "blob", "integer"))
UUID_TEXT = TEXT + " AND length({0}) = 32 AND {0} NOT GLOB '*[^0-9a-f]*'"
TIME_TEXT = (
    TEXT + " AND substr({0}, 1, 10) = date(substr({0}, 1, 10))"
    " AND substr({0}, 12, 8) = time(substr({0}, 12, 8))"
    " AND substr({0}, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'"
)
OBJECT_TEXT = TEXT + " AND CASE WHEN json_valid({0}) THEN json_type({0}) = 'object' ELSE 0 END"


def or_null(rule: str) -> str:
    return "({0} IS NULL OR " + rule + ")"


def types(**columns: str) -> str:
    return " AND ".join(rule.format(column) for column, rule in columns.items())


def of_types(**columns: str) -> sa.CheckConstraint:
    constraint = sa.CheckConstraint(types(**columns), name="types")
    return constraint.ddl_if(dialect="sqlite")


def upgrade() -> None:
    # In one statement for both databases: SQLite adds no constraint to an existing table otherwise.
    added = (
        "ALTER TABLE vaults ADD COLUMN protection VARCHAR(16) DEFAULT 'none' NOT NULL"
        " CONSTRAINT ck_vaults_protection CHECK (protection IN ('none', 'passphrase'))"
    )
    if op.get_bind().dialect.name == "sqlite":
        rules = types(
            id=UUID_TEXT,
            version=INTEGER,
            created_at=TIME_TEXT,
            updated_at=TIME_TEXT,
            workspace_id=UUID_TEXT,
            name=TEXT,
            name_key=TEXT,
            path=TEXT,
            metadata=OBJECT_TEXT,
            is_locked=INTEGER,
            protection=TEXT,
        )
        added += f" CONSTRAINT ck_vaults_types CHECK ({rules})"
    op.execute(added)
    op.create_table(
        "vault_keys",
        sa.Column("vault_id", sa.Uuid(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("master_key_name", sa.LargeBinary(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("memory", sa.Integer(), nullable=True),
        sa.Column("passes", sa.Integer(), nullable=True),
        sa.Column("lanes", sa.Integer(), nullable=True),
        sa.Column("checksum", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "(master_key_name IS NULL) = (salt IS NOT NULL AND memory IS NOT NULL"
            " AND passes IS NOT NULL AND lanes IS NOT NULL)",
            name="wrapped_by",
        ),
        of_types(
            vault_id=UUID_TEXT,
            wrapped=BLOB,
            master_key_name=or_null(BLOB),
            salt=or_null(BLOB),
            memory=or_null(INTEGER),
            passes=or_null(INTEGER),
            lanes=or_null(INTEGER),
            checksum=BLOB,
        ),
        sa.ForeignKeyConstraint(
            ["vault_id"], ["vaults.id"], name="fk_vault_keys_vault_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("vault_id", name="pk_vault_keys"),
    )
    op.create_table(
        "vault_sessions",
        sa.Column("session_hash", sa.LargeBinary(), nullable=False),
        sa.Column("vault_id", sa.Uuid(), nullable=False),
        sa.Column("api_token_id", sa.Uuid(), nullable=True),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        of_types(
            session_hash=BLOB,
            vault_id=UUID_TEXT,
            api_token_id=or_null(UUID_TEXT),
            expires_at=TIME_TEXT,
            wrapped=BLOB,
        ),
        sa.ForeignKeyConstraint(
            ["api_token_id"],
            ["api_tokens.id"],
            name="fk_vault_sessions_api_token_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["vault_id"], ["vaults.id"], name="fk_vault_sessions_vault_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_hash", name="pk_vault_sessions"),
    )
    op.create_index(
        "ix_vault_sessions_vault_id_expires_at", "vault_sessions", ["vault_id", "expires_at"]
    )
    op.create_index("ix_vault_sessions_api_token_id", "vault_sessions", ["api_token_id"])
    op.create_table(
        "vault_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vault_id", sa.Uuid(), nullable=False),
        sa.Column("lookup", sa.LargeBinary(), nullable=False),
        sa.Column("newest", sa.Integer(), nullable=False),
        sa.Column("oldest", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("oldest BETWEEN 1 AND newest", name="oldest"),
        of_types(
            id=UUID_TEXT,
            vault_id=UUID_TEXT,
            lookup=BLOB,
            newest=INTEGER,
            oldest=INTEGER,
            sealed=BLOB,
        ),
        sa.ForeignKeyConstraint(
            ["vault_id"], ["vaults.id"], name="fk_vault_entries_vault_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_vault_entries"),
        sa.UniqueConstraint("vault_id", "lookup", name="uq_vault_entries_vault_id_lookup"),
    )
    op.create_table(
        "vault_entry_versions",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("version >= 1", name="version"),
        of_types(entry_id=UUID_TEXT, version=INTEGER, facts=BLOB, content=BLOB),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["vault_entries.id"],
            name="fk_vault_entry_versions_entry_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("entry_id", "version", name="pk_vault_entry_versions"),
    )


def downgrade() -> None:
    for table in ("vault_entry_versions", "vault_entries", "vault_sessions", "vault_keys"):
        op.drop_table(table)
    op.drop_column("vaults", "protection")
