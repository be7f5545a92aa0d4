"""The initial schema: user profiles, their API tokens, workspaces, repos and vaults."""

import sqlalchemy as sa
from alembic import op

revision = "001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
# Sorts by code point on both databases: SQLite always does, PostgreSQL with this collation.
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "user_profiles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("username_key", KEY, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", KEY, nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("preferences", sa.JSON(), nullable=False),
        sa.Column("workspace_count", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("length(email) BETWEEN 3 AND 254", name="email"),
        sa.CheckConstraint("length(username) BETWEEN 3 AND 64", name="username"),
        sa.CheckConstraint("version >= 1", name="version"),
        sa.CheckConstraint("workspace_count >= 0", name="workspace_count"),
        sa.PrimaryKeyConstraint("id", name="pk_user_profiles"),
        sa.UniqueConstraint("email_key", name="uq_user_profiles_email_key"),
        sa.UniqueConstraint("username_key", name="uq_user_profiles_username_key"),
    )
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("user_profile_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("name_key", KEY, nullable=False),
        sa.Column("scopes", sa.String(length=64), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("last_used_at", TIME, nullable=True),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 255", name="name"),
        sa.CheckConstraint("version >= 1", name="version"),
        sa.ForeignKeyConstraint(
            ["user_profile_id"],
            ["user_profiles.id"],
            name="fk_api_tokens_user_profile_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_api_tokens"),
        sa.UniqueConstraint("token_hash", name="uq_api_tokens_token_hash"),
    )
    op.create_index(
        "ix_api_tokens_user_profile_id_created_at_id",
        "api_tokens",
        ["user_profile_id", "created_at", "id"],
    )
    op.create_index(
        "ix_api_tokens_user_profile_id_updated_at_id",
        "api_tokens",
        ["user_profile_id", "updated_at", "id"],
    )
    op.create_index(
        "ix_api_tokens_user_profile_id_name_key_id",
        "api_tokens",
        ["user_profile_id", "name_key", "id"],
    )

    op.create_table(
        "workspaces",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("user_profile_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("name_key", KEY, nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("workspace_type", sa.String(length=16), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("repo_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("vault_count", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "workspace_type IN ('general', 'client', 'personal', 'research')",
            name="workspace_type",
        ),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 255", name="name"),
        sa.CheckConstraint("repo_count >= 0", name="repo_count"),
        sa.CheckConstraint("vault_count >= 0", name="vault_count"),
        sa.CheckConstraint("version >= 1", name="version"),
        sa.ForeignKeyConstraint(
            ["user_profile_id"],
            ["user_profiles.id"],
            name="fk_workspaces_user_profile_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
        sa.UniqueConstraint(
            "user_profile_id", "name_key", name="uq_workspaces_user_profile_id_name_key"
        ),
    )
    op.create_index(
        "ix_workspaces_user_profile_id_created_at_id",
        "workspaces",
        ["user_profile_id", "created_at", "id"],
    )
    op.create_index(
        "ix_workspaces_user_profile_id_updated_at_id",
        "workspaces",
        ["user_profile_id", "updated_at", "id"],
    )

    op.create_table(
        "repos",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("name_key", KEY, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("remote_url", sa.Text(), nullable=True),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.Column("last_synced", TIME, nullable=True),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 255", name="name"),
        sa.CheckConstraint("version >= 1", name="version"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_repos_workspace_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_repos"),
        sa.UniqueConstraint("workspace_id", "name_key", name="uq_repos_workspace_id_name_key"),
    )
    op.create_index(
        "ix_repos_workspace_id_created_at_id", "repos", ["workspace_id", "created_at", "id"]
    )
    op.create_index(
        "ix_repos_workspace_id_updated_at_id", "repos", ["workspace_id", "updated_at", "id"]
    )

    op.create_table(
        "vaults",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("name_key", KEY, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.Column("is_locked", sa.Boolean(), nullable=False),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 255", name="name"),
        sa.CheckConstraint("version >= 1", name="version"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_vaults_workspace_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_vaults"),
        sa.UniqueConstraint("workspace_id", "name_key", name="uq_vaults_workspace_id_name_key"),
    )
    op.create_index(
        "ix_vaults_workspace_id_created_at_id", "vaults", ["workspace_id", "created_at", "id"]
    )
    op.create_index(
        "ix_vaults_workspace_id_updated_at_id", "vaults", ["workspace_id", "updated_at", "id"]
    )


def downgrade() -> None:
    # Indexes and constraints are dropped with their tables; tables that refer to others come first.
    for table in ("vaults", "repos", "workspaces", "api_tokens", "user_profiles"):
        op.drop_table(table)
