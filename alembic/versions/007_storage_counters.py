"""How many bytes the entries of each vault take, and what an idempotency key stores."""

import sqlalchemy as sa
from alembic import op

revision = "007"
down_revision = "006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "storage_counters",
        sa.Column("vault_id", sa.Uuid(), nullable=False),
        sa.Column("entry_bytes", sa.BigInteger(), nullable=False),
        sa.Column("recounted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("entry_bytes >= 0", name="entry_bytes"),
        sa.ForeignKeyConstraint(
            ["vault_id"], ["vaults.id"], name="fk_storage_counters_vault_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("vault_id", name="pk_storage_counters"),
    )
    op.add_column(
        "idempotency_keys",
        sa.Column("size", sa.Integer(), server_default="0", nullable=False),
    )
    op.execute(
        "INSERT INTO storage_counters (vault_id, entry_bytes)"
        " SELECT vault_id, sum(length(sealed) + (SELECT coalesce(sum(length(facts)"
        " + length(content)), 0) FROM vault_entry_versions WHERE entry_id = vault_entries.id))"
        " FROM vault_entries GROUP BY vault_id"
    )


def downgrade() -> None:
    op.drop_column("idempotency_keys", "size")
    op.drop_table("storage_counters")
