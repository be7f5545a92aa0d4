"""Counters of attempts by login and address, and known addresses.

`sign_in_failures` stays for the processes of the previous version, until they are replaced.
"""

import sqlalchemy as sa
from alembic import op

revision = "005"
down_revision = "004"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "attempt_counters",
        sa.Column("counter", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("pending", sa.Integer(), nullable=False),
        sa.Column("failed_at", TIME, nullable=False),
        sa.Column("reserved_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.CheckConstraint("failures >= 0", name="failures"),
        sa.CheckConstraint("pending >= 0", name="pending"),
        sa.PrimaryKeyConstraint("counter", name="pk_attempt_counters"),
    )
    op.create_index("ix_attempt_counters_subject", "attempt_counters", ["subject"])
    op.create_index("ix_attempt_counters_expires_at", "attempt_counters", ["expires_at"])
    op.create_table(
        "known_addresses",
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("signed_in_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("address", name="pk_known_addresses"),
    )
    op.create_index("ix_known_addresses_signed_in_at", "known_addresses", ["signed_in_at"])


def downgrade() -> None:
    op.drop_table("known_addresses")
    op.drop_table("attempt_counters")
