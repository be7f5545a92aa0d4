"""What machines report: their checkouts, and the number of the last report of each machine.

Processes of the previous version know neither; they list, rename and delete machines as before.
"""

import sqlalchemy as sa
from alembic import op

revision = "013"
down_revision = "012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("machines", sa.Column("report_sequence", sa.BigInteger(), nullable=True))
    op.create_table(
        "checkouts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("machine_id", sa.Uuid(), nullable=False),
        sa.Column("path_hash", sa.LargeBinary(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("has_remotes", sa.Boolean(), nullable=False),
        sa.Column("remotes", sa.Text(), nullable=False),
        sa.Column("root_commits", sa.Text(), nullable=False),
        sa.Column("known_heads", sa.Text(), nullable=False),
        sa.Column("needs_attention", sa.Boolean(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("heads", sa.LargeBinary(), nullable=False),
        sa.Column("detail", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["machine_id"], ["machines.id"], name="fk_checkouts_machine_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_checkouts"),
        sa.UniqueConstraint("machine_id", "path_hash", name="uq_checkouts_machine_id_path_hash"),
    )


def downgrade() -> None:
    op.drop_table("checkouts")
    op.drop_column("machines", "report_sequence")
