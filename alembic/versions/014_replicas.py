"""What replicas are recognized by: the mark of each user's last write, and the heartbeat.

Processes of the previous version know neither, and mark nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "014"
down_revision = "013"
compatible_with = "013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "last_writes",
        sa.Column("user_profile_id", sa.Uuid(), nullable=False),
        sa.Column("mark", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_profile_id"],
            ["user_profiles.id"],
            name="fk_last_writes_user_profile_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_profile_id", name="pk_last_writes"),
    )
    op.create_table(
        "heartbeats",
        sa.Column("number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("beat", sa.Uuid(), nullable=False),
        sa.CheckConstraint("number = 1", name="number"),
        sa.PrimaryKeyConstraint("number", name="pk_heartbeats"),
    )


def downgrade() -> None:
    op.drop_table("heartbeats")
    op.drop_table("last_writes")
