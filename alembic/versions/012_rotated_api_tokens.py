"""Whether an API token has a successor.

Processes of the previous version create tokens without one, and refuse a rotated token at its
`expires_at` as well.
"""

import sqlalchemy as sa
from alembic import op

revision = "012"
down_revision = "011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "api_tokens",
        sa.Column("is_rotated", sa.Boolean(), server_default=sa.false(), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("api_tokens", "is_rotated")
