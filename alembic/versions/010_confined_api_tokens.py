"""API tokens that are confined to workspaces, and tokens of machines.

Existing tokens are not confined, and keep their scopes: none has `secrets`.

Processes of the previous version do not find a confined token, because its hash is stored in another
form, and fail on a token with a scope that they do not know.
"""

import sqlalchemy as sa
from alembic import op

revision = "010"
down_revision = "009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "api_tokens",
        sa.Column("is_confined", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_table(
        "api_token_workspaces",
        sa.Column("api_token_id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["api_token_id"],
            ["api_tokens.id"],
            name="fk_api_token_workspaces_api_token_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspaces.id"],
            name="fk_api_token_workspaces_workspace_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("api_token_id", "workspace_id", name="pk_api_token_workspaces"),
    )
    op.create_index(
        "ix_api_token_workspaces_workspace_id", "api_token_workspaces", ["workspace_id"]
    )


def downgrade() -> None:
    # The previous version would not know what these tokens may do.
    op.execute("DELETE FROM api_tokens WHERE is_confined OR scopes = 'report'")
    op.execute("UPDATE api_tokens SET scopes = replace(scopes, ' secrets', '')")
    op.drop_table("api_token_workspaces")
    op.drop_column("api_tokens", "is_confined")
