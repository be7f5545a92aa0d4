"""The composition root, which creates the application from the parts of every layer."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Self

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from symphony import logs
from symphony.api.allowed_hosts import AllowedHosts
from symphony.api.compression import Compression
from symphony.api.fastapi_adapter import add_routes, refuse_dependency_overrides
from symphony.api.openapi import document
from symphony.api.openapi.published import OpenApiDocuments
from symphony.api.pagination import Cursors
from symphony.api.problems import handlers
from symphony.api.problems.text_errors import ProblemsForTextErrors
from symphony.api.request_context import RequestContext
from symphony.api.root_path import RootPath, own_segments, state_below
from symphony.api.routes import pages, routers
from symphony.api.static.web_files import MOUNT, WebFiles
from symphony.application.app import Application, Policy
from symphony.bootstrap import (
    engines_for,
    git_confinement_for,
    heartbeat_engines_for,
    master_keys_for,
    mirrors_for,
    replica_addresses_for,
    secret_for,
)
from symphony.config.settings import Settings, load_settings
from symphony.demo_data import announce_demo
from symphony.domain.vaults.keys import Keyring, MasterKeys
from symphony.domain.vaults.storage import StorageLimits
from symphony.infrastructure.access_tokens import JwtAccessTokens
from symphony.infrastructure.argon2_costs import STANDARD_COSTS, HashingCosts
from symphony.infrastructure.control_groups import usable_cores
from symphony.infrastructure.database import migrations
from symphony.infrastructure.database.availability import readiness
from symphony.infrastructure.database.engine import Engines
from symphony.infrastructure.database.replicas.routing import SqlAlchemyReplicas
from symphony.infrastructure.database.unit_of_work import SqlAlchemyStore
from symphony.infrastructure.derived_keys import derive_key, keyed_hash
from symphony.infrastructure.git.confinement.landlock import DetectLandlock, detect_landlock
from symphony.infrastructure.git.discovery.finder import LocalFinder, SearchLimits
from symphony.infrastructure.git.process.machine_memory import machine_memory
from symphony.infrastructure.git.remotes.remote_git import RemoteGit, SyncLimits
from symphony.infrastructure.git.status.limits import InspectionLimits
from symphony.infrastructure.git.status.local_git import LocalGit
from symphony.infrastructure.hashing_threads import HashingThreads, threads_per_process
from symphony.infrastructure.metrics import Metrics
from symphony.infrastructure.passwords import Argon2Passwords
from symphony.infrastructure.vaults.passphrases import Argon2Passphrases
from symphony.infrastructure.vaults.sealing import AesGcmSealing

CORS_METHODS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE")
CORS_REQUEST_HEADERS = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Vault-Session",
    "X-Request-ID",
)
CORS_RESPONSE_HEADERS = (
    "Accept-Patch",
    "Allow",
    "ETag",
    "Idempotency-Replayed",
    "Link",
    "Location",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-ID",
)


@dataclass(frozen=True, slots=True)
class GitLimits:
    """The limits of inspections, searches and syncs; tests set their own."""

    inspection: InspectionLimits = field(default_factory=InspectionLimits)
    search: SearchLimits = field(default_factory=SearchLimits)
    sync: SyncLimits = field(default_factory=SyncLimits)

    @classmethod
    def for_memory(cls, memory: int) -> Self:
        """Return the limits with which git takes three quarters of this memory, in bytes."""
        return cls(
            inspection=InspectionLimits().within(memory // 2), sync=SyncLimits().within(memory // 4)
        )


def create_app(
    settings: Settings,
    *,
    costs: HashingCosts = STANDARD_COSTS,
    git_limits: GitLimits | None = None,
    detect: DetectLandlock = detect_landlock,
) -> FastAPI:
    """Create the service as an ASGI application; its lifespan opens and closes the database.

    Raises: SettingsError, StartRefused.
    """
    confinement = git_confinement_for(settings, detect)
    engines = engines_for(settings)
    secret = secret_for(settings, engines)
    master_keys = master_keys_for(settings, engines)
    metrics = Metrics()
    logs.count_dropped(metrics.log_lines_dropped)

    def count_request(method: str, route: str | None, status: int, seconds: float) -> None:
        metrics.request(method, route, status, seconds)
        logs.report_dropped()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, Any]]:
        async with running_application(
            settings,
            engines,
            secret,
            master_keys,
            metrics,
            costs=costs,
            git_limits=git_limits,
            detect=detect,
        ) as application:
            app.state.application = application
            if application.replicas is not None:
                application.replicas.start()
            app.state.git_confinement = confinement
            app.state.not_ready_reason = lambda: readiness.not_ready_reason(engines)
            if settings.demo_mode:
                await announce_demo(application)
            yield state_below(settings.root_path)  # also for what the protocol refuses

    app = FastAPI(
        title="Symphony",
        version=version("symphony"),
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Telemetry would export raw paths, and reads the environment for every request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.metrics = metrics.text
    app.state.max_body_bytes = settings.max_body_bytes
    app.state.trusted_proxies = settings.trusted_proxies
    app.state.cursors = Cursors(derive_key(secret, "cursors"))
    app.state.fingerprint = keyed_hash(derive_key(secret, "idempotency"))
    refuse_dependency_overrides(app)
    add_routes(app, routers())
    app.mount(pages.ASSETS, pages.assets())
    app.state.web_files = web_files = WebFiles()
    app.mount(MOUNT, pages.as_problems(web_files))
    document.install(app)
    app.state.openapi_documents = OpenApiDocuments(app.openapi)
    handlers.install(app)
    # Each middleware encloses those that were added before it.
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=CORS_METHODS,
            allow_headers=CORS_REQUEST_HEADERS,
            expose_headers=CORS_RESPONSE_HEADERS,
        )
        app.add_middleware(ProblemsForTextErrors, codes={400: ("origin-not-allowed", None)})
    app.add_middleware(Compression)
    if "*" not in settings.served_hosts:
        app.add_middleware(AllowedHosts, names=settings.served_hosts)
    app.add_middleware(RequestContext, count=count_request)
    app.add_middleware(
        RootPath,
        prefix=settings.root_path,
        own_segments=own_segments(app.routes),
    )
    return app


def create_app_from_environment() -> FastAPI:
    """Create the service with the settings of the environment, for servers that import it."""
    settings = load_settings()
    logs.configure(settings.log_format)
    return create_app(settings)


@asynccontextmanager
async def running_application(
    settings: Settings,
    engines: Engines,
    secret: bytes,
    master_keys: MasterKeys,
    metrics: Metrics,
    *,
    costs: HashingCosts = STANDARD_COSTS,
    git_limits: GitLimits | None = None,
    detect: DetectLandlock = detect_landlock,
) -> AsyncGenerator[Application]:
    """Run the application on an open database.

    On exit, it finishes the commands in progress before it closes the database.
    """
    threads = HashingThreads(threads_per_process(usable_cores(), settings.workers))
    limits = git_limits or GitLimits.for_memory(machine_memory() // settings.workers)
    git = (
        LocalGit(
            settings.git_roots,
            limits.inspection,
            detect,
            use_user_config=settings.git_user_config,
        )
        if settings.git_roots
        else None
    )
    remotes = (
        RemoteGit(
            settings.git_roots,
            mirrors_for(settings, engines),
            allow_private=settings.git_allow_private_remotes,
            ports=settings.git_remote_ports,
            limits=limits.sync,
            detect=detect,
        )
        if settings.git_roots
        else None
    )
    addresses = replica_addresses_for(settings, engines)
    replicas = None
    if addresses:
        heartbeat = heartbeat_engines_for(settings)
        replicas = SqlAlchemyReplicas(addresses, engines.limits, heartbeat, metrics)
    finder = LocalFinder(settings.git_roots, limits.search, detect) if settings.git_roots else None
    application = Application(
        store=SqlAlchemyStore(engines, metrics),
        policy=Policy(
            max_workspaces_per_user=settings.max_workspaces_per_user,
            max_repos_per_workspace=settings.max_repos_per_workspace,
            max_vaults_per_workspace=settings.max_vaults_per_workspace,
            registration=settings.registration,
            storage=StorageLimits(
                per_vault=settings.max_entry_bytes_per_vault,
                per_user=settings.max_entry_bytes_per_user,
            ),
        ),
        passwords=Argon2Passwords(threads, costs.password),
        passphrases=Argon2Passphrases(threads, costs.passphrase),
        keyring=Keyring(AesGcmSealing(), master_keys),
        access_tokens=JwtAccessTokens(
            derive_key(secret, "access tokens"), settings.access_token_ttl
        ),
        keyed_hash=keyed_hash(derive_key(secret, "accounts")),
        count=metrics.command,
        git=git,
        remotes=remotes,
        finder=finder,
        replicas=replicas,
    )
    try:
        if engines.is_in_memory:  # `prepare` cannot have migrated it
            await migrations.upgrade(engines)
        yield application
    finally:
        await application.drain()
        threads.close()
        if git is not None:
            git.close()
        if remotes is not None:
            remotes.close()
        if finder is not None:
            finder.close()
        if replicas is not None:
            await replicas.close()
        await engines.dispose()
