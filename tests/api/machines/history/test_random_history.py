"""A random history of three machines: the board equals that of a model at every step."""

import logging
import os
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from random import Random

import pytest

from symphony.application.orchestrations import attention_board
from symphony.config.settings import Settings
from symphony.domain.base import utc_now
from symphony.domain.machines import reports
from tests.api.machines.history.random_history import RandomHistory
from tests.support.api import User, running_api, sign_up

log = logging.getLogger(__name__)
# What a history must meet; with less it would prove little.
STEPS = int(os.environ.get("HISTORY_STEPS", "100"))
ALL_ARE_MET_AFTER = 2_000
TO_BE_MET = {
    *("report 200", "report 409", "report 404", "lost", "machine deleted"),
    *("dirty", "worktree", "unpushed", "detached", "behind", "diverged", "stashed", "conflict"),
    *("no-remote", "unreadable", "stale", "unseen", "1 checkouts", "4 checkouts"),
    *("at risk: True", "at risk: False", "at risk: None"),
    *("cleared", "learned later", "learned instead"),
}


@asynccontextmanager
async def history(
    settings: Settings, seed: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[RandomHistory]:
    async with running_api(settings) as client:
        user = await sign_up(client, "ada")
        random = Random(seed)  # noqa: S311 - no secret
        made = RandomHistory(user, random, size, utc_now())
        for module in (reports, attention_board):
            monkeypatch.setattr(module, "utc_now", lambda: made.now)
        await made.start()
        yield made


async def run(made: RandomHistory, steps: int) -> Counter[str]:
    confined: dict[str, User] = {
        each: made.user.using(
            (await made.user.api_token("read", name=each, workspace_ids=[each]))["token"]
        )
        for each in made.workspaces[:2]
    }
    for step in range(steps):
        await made.step()
        await made.check(made.user)
        if step % 10 == 0:
            for workspace, user in confined.items():
                await made.check(user, {workspace})
    return made.model.met


@pytest.mark.long
@pytest.mark.parametrize("seed", [4, 10])
async def test_the_board_equals_that_of_a_model_at_every_step(
    settings: Settings, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with history(settings, seed, 12, monkeypatch) as made:
        met = await run(made, 100)
    assert met.keys() >= {"cleared", "learned later", "learned instead", "unseen", "report 409"}


@pytest.mark.long
@pytest.mark.every_store
async def test_the_board_equals_that_of_a_model_for_200_checkouts_on_each_machine(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with history(settings, 3, 200, monkeypatch) as made:
        met = await run(made, STEPS)
    log.info("met: %s", met)
    if STEPS >= ALL_ARE_MET_AFTER:
        assert met.keys() >= TO_BE_MET
