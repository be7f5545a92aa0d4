"""The generation of a user's access tokens, which a new password increments."""

from alembic import op

revision = "008"
down_revision = "007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # In one statement for both databases: SQLite adds no constraint to an existing table otherwise.
    op.execute(
        "ALTER TABLE user_profiles ADD COLUMN token_generation INTEGER DEFAULT '1' NOT NULL"
        " CONSTRAINT ck_user_profiles_token_generation CHECK (token_generation >= 1)"
    )


def downgrade() -> None:
    op.drop_column("user_profiles", "token_generation")
