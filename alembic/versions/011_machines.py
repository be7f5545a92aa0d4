"""Machines, and the API tokens that report what one of them has; existing users have none."""

import sqlalchemy as sa
from alembic import op

revision = "011"
down_revision = "010"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TOKENS = (
    "id, version, created_at, updated_at, user_profile_id, name, name_key, scopes, token_hash,"
    " expires_at, last_used_at, creator_id, is_confined"
)
OF_TOKENS = ("vault_sessions", "api_token_workspaces")
MACHINE_KEY = "fk_api_tokens_machine_id"


def upgrade() -> None:
    # In one statement for both databases: SQLite adds no constraint to an existing table otherwise.
    op.execute(
        "ALTER TABLE user_profiles ADD COLUMN machine_count INTEGER DEFAULT '0' NOT NULL"
        " CONSTRAINT ck_user_profiles_machine_count CHECK (machine_count >= 0)"
    )
    op.create_table(
        "machines",
        *named_columns(),
        sa.Column("last_report_at", TIME, nullable=True),
        sa.Column("checkout_count", sa.Integer(), server_default="0", nullable=False),
        *named_constraints("machines"),
        sa.CheckConstraint("checkout_count >= 0", name=op.f("ck_machines_checkout_count")),
        sa.UniqueConstraint(
            "user_profile_id", "name_key", name="uq_machines_user_profile_id_name_key"
        ),
    )
    index_lists("machines", "created_at", "updated_at")
    machine_id = sa.Column("machine_id", sa.Uuid(), nullable=True)
    if op.get_bind().dialect.name == "sqlite":
        rebuild_tokens(
            machine_id,
            sa.ForeignKeyConstraint(
                ["machine_id"], ["machines.id"], name=MACHINE_KEY, ondelete="CASCADE"
            ),
        )
    else:
        op.add_column("api_tokens", machine_id)
        op.create_foreign_key(
            MACHINE_KEY, "api_tokens", "machines", ["machine_id"], ["id"], ondelete="CASCADE"
        )
    op.create_index("ix_api_tokens_machine_id", "api_tokens", ["machine_id"])


def downgrade() -> None:
    # Without its machine, a token with the scope `report` would be for every machine.
    op.execute("DELETE FROM api_tokens WHERE machine_id IS NOT NULL")
    op.drop_index("ix_api_tokens_machine_id", "api_tokens")
    if op.get_bind().dialect.name == "sqlite":
        rebuild_tokens()
    else:
        op.drop_column("api_tokens", "machine_id")
    op.drop_table("machines")
    op.drop_column("user_profiles", "machine_count")


def named_columns() -> list[sa.Column[object]]:
    """Create the columns of a noun with names that a user profile contains."""
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("user_profile_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("name_key", KEY, nullable=False),
    ]


def named_constraints(table: str) -> list[sa.Constraint]:
    """Create the constraints on these columns."""
    return [
        sa.CheckConstraint("length(name) BETWEEN 1 AND 255", name=op.f(f"ck_{table}_name")),
        sa.CheckConstraint("version >= 1", name=op.f(f"ck_{table}_version")),
        sa.ForeignKeyConstraint(
            ["user_profile_id"],
            ["user_profiles.id"],
            name=f"fk_{table}_user_profile_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    ]


def index_lists(table: str, *orders: str) -> None:
    for order in orders:
        op.create_index(
            f"ix_{table}_user_profile_id_{order}_id", table, ["user_profile_id", order, "id"]
        )


def rebuild_tokens(*added: sa.schema.SchemaItem) -> None:
    """Replace the table by one with other columns: SQLite adds no foreign keys to a table."""
    # Dropping the table deletes its rows, and with them those of other tables that refer to them;
    # those that refer to none stay, and are ignored below.
    for table in ("api_tokens", *OF_TOKENS):
        op.execute(f"CREATE TEMPORARY TABLE kept_{table} AS SELECT * FROM {table}")  # noqa: S608 - names of tables
    op.drop_table("api_tokens")
    op.create_table(
        "api_tokens",
        *named_columns(),
        sa.Column("scopes", sa.String(length=64), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("last_used_at", TIME, nullable=True),
        sa.Column("creator_id", sa.Uuid(), nullable=True),
        sa.Column("is_confined", sa.Boolean(), server_default=sa.false(), nullable=False),
        *added,
        *named_constraints("api_tokens"),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["api_tokens.id"], name="fk_api_tokens_creator_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("token_hash", name="uq_api_tokens_token_hash"),
    )
    op.execute(f"INSERT INTO api_tokens ({TOKENS}) SELECT {TOKENS} FROM kept_api_tokens")  # noqa: S608 - names of columns
    for table in OF_TOKENS:
        op.execute(f"INSERT OR IGNORE INTO {table} SELECT * FROM kept_{table}")  # noqa: S608 - names of tables
    for table in ("api_tokens", *OF_TOKENS):
        op.execute(f"DROP TABLE kept_{table}")
    index_lists("api_tokens", "created_at", "updated_at", "name_key")
    op.create_index("ix_api_tokens_creator_id", "api_tokens", ["creator_id"])
