"""The API token that created an API token; existing ones have none."""

import sqlalchemy as sa
from alembic import op

revision = "006"
down_revision = "005"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
COLUMNS = (
    "id, version, created_at, updated_at, user_profile_id, name, name_key, scopes, token_hash,"
    " expires_at, last_used_at"
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        rebuild(
            sa.Column("creator_id", sa.Uuid(), nullable=True),
            sa.ForeignKeyConstraint(
                ["creator_id"],
                ["api_tokens.id"],
                name="fk_api_tokens_creator_id",
                ondelete="CASCADE",
            ),
        )
    else:
        op.add_column("api_tokens", sa.Column("creator_id", sa.Uuid(), nullable=True))
        op.create_foreign_key(
            "fk_api_tokens_creator_id",
            "api_tokens",
            "api_tokens",
            ["creator_id"],
            ["id"],
            ondelete="CASCADE",
        )
    op.create_index("ix_api_tokens_creator_id", "api_tokens", ["creator_id"])


def downgrade() -> None:
    op.drop_index("ix_api_tokens_creator_id", "api_tokens")
    if op.get_bind().dialect.name == "sqlite":
        rebuild()
    else:
        op.drop_column("api_tokens", "creator_id")


def rebuild(*added: sa.schema.SchemaItem) -> None:
    """Replace the table by one with other columns: SQLite adds no foreign keys to a table."""
    op.create_table(
        "new_api_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("user_profile_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("scopes", sa.String(length=64), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("last_used_at", TIME, nullable=True),
        *added,
        sa.CheckConstraint("length(name) BETWEEN 1 AND 255", name=op.f("ck_api_tokens_name")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_api_tokens_version")),
        sa.ForeignKeyConstraint(
            ["user_profile_id"],
            ["user_profiles.id"],
            name="fk_api_tokens_user_profile_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_api_tokens"),
        sa.UniqueConstraint("token_hash", name="uq_api_tokens_token_hash"),
    )
    op.execute(f"INSERT INTO new_api_tokens ({COLUMNS}) SELECT {COLUMNS} FROM api_tokens")  # noqa: S608 - names of columns
    # Dropping the table deletes its rows, and with them the sessions of vaults that refer to them;
    # those without an API token stay, and are ignored below.
    op.execute("CREATE TEMPORARY TABLE kept_sessions AS SELECT * FROM vault_sessions")
    op.drop_table("api_tokens")
    op.rename_table("new_api_tokens", "api_tokens")
    op.execute("INSERT OR IGNORE INTO vault_sessions SELECT * FROM kept_sessions")
    op.execute("DROP TABLE kept_sessions")
    for column in ("created_at", "updated_at", "name_key"):
        op.create_index(
            f"ix_api_tokens_user_profile_id_{column}_id",
            "api_tokens",
            ["user_profile_id", column, "id"],
        )
