"""Entries of vaults and their versions, the keys of vaults, and sessions that open them."""

import sqlalchemy as sa
from alembic import op

revision = "004"
down_revision = "003"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    # In one statement that both databases know: SQLite adds no constraint to a table that is there.
    op.execute(
        "ALTER TABLE vaults ADD COLUMN protection VARCHAR(16) DEFAULT 'none' NOT NULL"
        " CONSTRAINT ck_vaults_protection CHECK (protection IN ('none', 'passphrase'))"
    )
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
