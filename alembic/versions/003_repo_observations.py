"""The latest observation of each repo."""

import sqlalchemy as sa
from alembic import op

revision = "003"
down_revision = "002"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "repo_observations",
        sa.Column("repo_id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("observed_at", TIME, nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("has_remote", sa.Boolean(), nullable=False),
        sa.Column("lacks_upstream", sa.Boolean(), nullable=False),
        sa.Column("is_unfinished", sa.Boolean(), nullable=False),
        sa.Column("ahead", sa.Integer(), nullable=False),
        sa.Column("behind", sa.Integer(), nullable=False),
        sa.Column("stashes", sa.Integer(), nullable=False),
        sa.Column("authored_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["repo_id"],
            ["repos.id"],
            name="fk_repo_observations_repo_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("repo_id", name="pk_repo_observations"),
    )


def downgrade() -> None:
    op.drop_table("repo_observations")
