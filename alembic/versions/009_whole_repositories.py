"""Observations of whole repositories, and what the last sync of each repo saw of its remote.

`repo_observations` stays for the processes of the previous version, until they are replaced: rows
that both versions write would have facts of different inspections.
"""

import sqlalchemy as sa
from alembic import op

revision = "009"
down_revision = "008"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "repo_inspections",
        sa.Column("repo_id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("observed_at", TIME, nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["repo_id"], ["repos.id"], name="fk_repo_inspections_repo_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("repo_id", name="pk_repo_inspections"),
    )
    op.create_table(
        "remote_heads",
        sa.Column("repo_id", sa.Uuid(), nullable=False),
        sa.Column("remote_url", sa.Text(), nullable=False),
        sa.Column("synced_at", TIME, nullable=False),
        sa.Column("heads", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["repo_id"], ["repos.id"], name="fk_remote_heads_repo_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("repo_id", name="pk_remote_heads"),
    )


def downgrade() -> None:
    op.drop_table("remote_heads")
    op.drop_table("repo_inspections")
