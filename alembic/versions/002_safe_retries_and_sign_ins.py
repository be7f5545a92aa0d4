"""Idempotency keys, and failed sign-ins per account."""

import sqlalchemy as sa
from alembic import op

revision = "002"
down_revision = "001"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("user_profile_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("noun", sa.String(length=32), nullable=True),
        sa.Column("entity", sa.JSON(), nullable=True),
        sa.CheckConstraint("length(key) BETWEEN 1 AND 255", name="key"),
        sa.ForeignKeyConstraint(
            ["user_profile_id"],
            ["user_profiles.id"],
            name="fk_idempotency_keys_user_profile_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_profile_id", "key", name="pk_idempotency_keys"),
    )
    op.create_index(
        "ix_idempotency_keys_user_profile_id_created_at",
        "idempotency_keys",
        ["user_profile_id", "created_at"],
    )
    op.create_table(
        "sign_in_failures",
        sa.Column("account", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.CheckConstraint("failures >= 1", name="failures"),
        sa.PrimaryKeyConstraint("account", name="pk_sign_in_failures"),
    )
    op.create_index("ix_sign_in_failures_since", "sign_in_failures", ["since"])


def downgrade() -> None:
    op.drop_table("sign_in_failures")
    op.drop_table("idempotency_keys")
