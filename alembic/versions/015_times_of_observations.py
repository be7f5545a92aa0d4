"""Since when the work in a repo is unfinished, beside the facts of its observation.

Programs of before read the facts only as they know them. They update the facts, and leave the times
of an earlier observation as they are; these name the observation they belong to.
"""

import sqlalchemy as sa
from alembic import op

revision = "015"
down_revision = "014"
compatible_with = "013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("repo_inspections", sa.Column("times", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("repo_inspections", "times")
