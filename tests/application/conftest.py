"""The application on each store, with small limits, and two users."""

from collections.abc import AsyncGenerator, Generator
from uuid import UUID

import pytest

from symphony.application.app import Application, Policy
from symphony.application.orchestrations.sign_up import SignUp, sign_up
from symphony.domain.unit_of_work import Store
from symphony.domain.vaults.keys import Keyring
from symphony.infrastructure.access_tokens import JwtAccessTokens
from symphony.infrastructure.derived_keys import keyed_hash
from symphony.infrastructure.hashing_threads import HashingThreads
from symphony.infrastructure.metrics import Metrics
from symphony.infrastructure.passwords import Argon2Passwords
from symphony.infrastructure.vaults.master_keys import FixedMasterKeys
from symphony.infrastructure.vaults.passphrases import Argon2Passphrases
from symphony.infrastructure.vaults.sealing import AesGcmSealing
from tests.support.hashing import CHEAP

PASSWORD = "correct horse battery staple"
ADDRESS = "192.0.2.1"
POLICY = Policy(max_workspaces_per_user=5, max_repos_per_workspace=4, max_vaults_per_workspace=3)
ACCESS_TOKENS = JwtAccessTokens(b"k" * 32, lifetime=60)


@pytest.fixture(scope="session")
def threads() -> Generator[HashingThreads]:
    threads = HashingThreads(2)
    yield threads
    threads.close()


@pytest.fixture
async def app(store: Store, threads: HashingThreads) -> AsyncGenerator[Application]:
    app = an_application(store, threads)
    yield app
    await app.drain()


def an_application(store: Store, threads: HashingThreads) -> Application:
    return Application(
        store=store,
        policy=POLICY,
        passwords=Argon2Passwords(threads, CHEAP.password),
        passphrases=Argon2Passphrases(threads, CHEAP.passphrase),
        keyring=Keyring(AesGcmSealing(), FixedMasterKeys([b"m" * 32])),
        access_tokens=ACCESS_TOKENS,
        keyed_hash=keyed_hash(b"k" * 32),
        count=Metrics().command,
        git=None,
        remotes=None,
        finder=None,
    )


@pytest.fixture
async def ada(app: Application) -> UUID:
    return await person(app, "ada")


@pytest.fixture
async def eve(app: Application) -> UUID:
    return await person(app, "eve")


async def person(app: Application, name: str) -> UUID:
    profile = await sign_up(SignUp(name, f"{name}@example.org", PASSWORD), app)
    return profile.id
