"""The textbook service: the same answers, written as in the tutorials of FastAPI and SQLAlchemy.

ORM models, a session from a dependency, the user loaded for each request, a count before the
insert, response models created from ORM objects. It runs on PostgreSQL and on SQLite.
"""

import base64
import os
import unicodedata
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import JSON, ForeignKey, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import DateTime
from uuid_utils.compat import uuid7

from symphony.infrastructure.database.engine import DEFAULT_LIMITS

KEY = bytes.fromhex(os.environ["BENCHMARK_KEY"])
DATABASE = os.environ["BENCHMARK_DATABASE"]
MAX_REPOS = int(os.environ["BENCHMARK_MAX_REPOS"])

engine = create_async_engine(
    DATABASE.replace("sqlite:", "sqlite+aiosqlite:").replace("postgresql:", "postgresql+asyncpg:"),
    pool_size=DEFAULT_LIMITS.postgresql_connections,
    max_overflow=0,
)
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012 - SQLAlchemy reads it


class UserProfile(Base):
    __tablename__ = "user_profiles"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    username: Mapped[str]
    username_key: Mapped[str]
    email: Mapped[str]
    email_key: Mapped[str]
    password_hash: Mapped[str]
    preferences: Mapped[dict[str, Any]] = mapped_column(JSON)
    workspace_count: Mapped[int]


class Workspace(Base):
    __tablename__ = "workspaces"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    user_profile_id: Mapped[UUID] = mapped_column(ForeignKey("user_profiles.id"))
    name: Mapped[str]
    name_key: Mapped[str]
    description: Mapped[str | None]
    workspace_type: Mapped[str]
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    repo_count: Mapped[int]
    vault_count: Mapped[int]


class Repo(Base):
    __tablename__ = "repos"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id"))
    name: Mapped[str]
    name_key: Mapped[str]
    path: Mapped[str]
    remote_url: Mapped[str | None]
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", JSON)
    last_synced: Mapped[datetime | None]


class RepoCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=255)
    path: str = Field(max_length=4096)
    remote_url: str | None = Field(default=None, max_length=2048)
    metadata: dict[str, Any] = Field(default_factory=dict)


class RepoUpdate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, min_length=1, max_length=255)
    path: str | None = Field(default=None, max_length=4096)
    remote_url: str | None = Field(default=None, max_length=2048)
    metadata: dict[str, Any] | None = None


if TYPE_CHECKING or not DATABASE.startswith("sqlite:"):
    UtcTime = datetime
else:  # SQLite stores no time zones
    UtcTime = Annotated[datetime, AfterValidator(lambda moment: moment.replace(tzinfo=UTC))]


class RepoOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    version: int
    created_at: UtcTime
    updated_at: UtcTime
    workspace_id: UUID
    name: str
    path: str
    remote_url: str | None
    metadata: dict[str, Any] = Field(validation_alias="metadata_", serialization_alias="metadata")
    last_synced: UtcTime | None


class RepoPage(BaseModel):
    items: list[RepoOut]
    next_cursor: str | None


oauth2_scheme = OAuth2PasswordBearer(tokenUrl="auth/token")
app = FastAPI()


async def get_session() -> AsyncGenerator[AsyncSession]:
    async with sessions() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]


async def get_current_user(
    session: SessionDep, token: Annotated[str, Depends(oauth2_scheme)]
) -> UserProfile:
    unauthorized = HTTPException(401, "Could not validate credentials")
    try:
        claims: dict[str, Any] = jwt.decode(token, KEY, algorithms=["HS256"])  # pyright: ignore[reportUnknownMemberType]
        user_id = UUID(claims["sub"])
    except (jwt.InvalidTokenError, KeyError, ValueError):
        raise unauthorized from None
    user = await session.get(UserProfile, user_id)
    if user is None:
        raise unauthorized
    return user


CurrentUser = Annotated[UserProfile, Depends(get_current_user)]


@app.get("/health/ready")
async def ready() -> str:
    return "ready"


@app.get("/api/v1/repos/{repo_id}", response_model=RepoOut)
async def get_repo(repo_id: UUID, session: SessionDep, user: CurrentUser) -> Repo:
    return await find_repo(session, user, repo_id)


@app.get("/api/v1/workspaces/{workspace_id}/repos", response_model=RepoPage)
async def list_repos(
    workspace_id: UUID, session: SessionDep, user: CurrentUser, limit: int = 50
) -> dict[str, Any]:
    workspace = await find_workspace(session, user, workspace_id)
    found = await session.scalars(
        select(Repo)
        .where(Repo.workspace_id == workspace.id)
        .order_by(Repo.created_at, Repo.id)
        .limit(limit + 1)
    )
    repos = found.all()
    return {
        "items": repos[:limit],
        "next_cursor": cursor(repos[limit - 1]) if len(repos) > limit else None,
    }


@app.post("/api/v1/workspaces/{workspace_id}/repos", response_model=RepoOut, status_code=201)
async def create_repo(
    workspace_id: UUID, body: RepoCreate, session: SessionDep, user: CurrentUser
) -> Repo:
    workspace = await find_workspace(session, user, workspace_id)
    count = await session.scalar(
        select(func.count()).select_from(Repo).where(Repo.workspace_id == workspace.id)
    )
    if (count or 0) >= MAX_REPOS:
        raise HTTPException(409, "The workspace is full")
    now = datetime.now(UTC)
    repo = Repo(
        workspace_id=workspace.id,
        name=body.name,
        name_key=name_key(body.name),
        path=body.path,
        remote_url=body.remote_url,
        metadata_=body.metadata,
        created_at=now,
        updated_at=now,
    )
    session.add(repo)
    await session.commit()
    await session.refresh(repo)
    return repo


@app.patch("/api/v1/repos/{repo_id}", response_model=RepoOut)
async def update_repo(
    repo_id: UUID, body: RepoUpdate, session: SessionDep, user: CurrentUser
) -> Repo:
    repo = await find_repo(session, user, repo_id)
    changes = body.model_dump(exclude_unset=True)
    if "metadata" in changes:
        merged = {**repo.metadata_, **changes.pop("metadata")}
        repo.metadata_ = {name: value for name, value in merged.items() if value is not None}
    for name, value in changes.items():
        setattr(repo, name, value)
    if "name" in changes:
        repo.name_key = name_key(repo.name)
    if session.is_modified(repo):
        repo.version += 1
        repo.updated_at = datetime.now(UTC)
    await session.commit()
    await session.refresh(repo)
    return repo


async def find_repo(session: AsyncSession, user: UserProfile, repo_id: UUID) -> Repo:
    repo = await session.scalar(
        select(Repo)
        .join(Workspace, Workspace.id == Repo.workspace_id)
        .where(Repo.id == repo_id, Workspace.user_profile_id == user.id)
    )
    if repo is None:
        raise HTTPException(404, "Repo not found")
    return repo


async def find_workspace(session: AsyncSession, user: UserProfile, workspace_id: UUID) -> Workspace:
    workspace = await session.scalar(
        select(Workspace).where(Workspace.id == workspace_id, Workspace.user_profile_id == user.id)
    )
    if workspace is None:
        raise HTTPException(404, "Workspace not found")
    return workspace


def name_key(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def cursor(last: Repo) -> str:
    return base64.urlsafe_b64encode(f"{last.created_at} {last.id}".encode()).decode()
