"""Changing things safely: two editors, many at once, and an answer that never arrived."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from caller import User, problem, seen, sign_up
from real_server import running_server
from stage import Stage, perform

AT_ONCE = 20


def story(stage: Stage) -> None:
    # Not by way of a proxy that the environment may name.
    with (
        running_server() as server,
        httpx.Client(base_url=server.address, timeout=30, trust_env=False) as client,
    ):
        ada, eve = sign_up(client, "ada"), sign_up(client, "eve")
        thesis = ada.make(f"/user-profiles/{ada.id}/workspaces", name="Thesis")["id"]
        repos = f"/workspaces/{thesis}/repos"
        repo = f"/repos/{ada.make(repos, name='engine', path='~/dev/engine')['id']}"
        two_editors(stage, ada, repo)
        nothing_new(stage, ada, repo)
        parallel_merges(stage, ada, repo)
        parallel_saves(stage, ada, repo)
        lost_answer(stage, ada, server.address, repos)
        parallel_retries(stage, ada, repos)
        keys(stage, ada, eve, repos)


def two_editors(stage: Stage, ada: User, repo: str) -> None:
    stage.step("Ada has the same repo open in two editors, at home and at work")
    at_home, at_work = (ada.call("GET", repo) for _ in range(2))
    stage.expect(
        "both have read the same state",
        at_home.headers["etag"] == at_work.headers["etag"],
        f"ETag: {at_home.headers['etag']}",
    )
    saved = ada.call(
        "PATCH",
        repo,
        json={"metadata": {"tags": ["home"]}},
        headers={"If-Match": at_home.headers["etag"]},
    )
    stage.expect("home saves what it has read", saved.status_code == 200)
    stage.expect("that is another state", saved.headers["etag"] != at_home.headers["etag"])
    late = {"If-Match": at_work.headers["etag"]}
    refused = ada.call("PATCH", repo, json={"metadata": {"tags": ["work"]}}, headers=late)
    stage.expect("work is too late", problem(refused) == "412 precondition-failed", seen(refused))
    stage.expect("and is told the present version", refused.json()["current_version"] == 2)
    stage.expect("nothing of it was saved", ada.call("GET", repo).json() == saved.json())

    stage.step("So work reads it again, joins the two, and saves")
    fresh = ada.call("GET", repo)
    joined = [*fresh.json()["metadata"]["tags"], "work"]
    again = ada.call(
        "PATCH",
        repo,
        json={"metadata": {"tags": joined}},
        headers={"If-Match": fresh.headers["etag"]},
    )
    stage.show(
        "editor",
        "If-Match",
        "answer",
        rows=[
            ("home", "version 1", _told(saved)),
            ("work", "version 1", _told(refused)),
            ("work", "version 2", _told(again)),
        ],
    )
    kept = again.json()["metadata"]["tags"]
    stage.expect("both changes are there", kept == ["home", "work"], str(kept))


def nothing_new(stage: Stage, ada: User, repo: str) -> None:
    stage.step("Who has the present state already need not load it again")
    read = ada.call("GET", repo)
    known = {"If-None-Match": read.headers["etag"]}
    unchanged = ada.call("GET", repo, headers=known)
    stage.expect("304, no content", (unchanged.status_code, unchanged.content) == (304, b""))
    same = ada.call("PATCH", repo, json={"metadata": read.json()["metadata"]})
    stage.expect("a patch that changes nothing", same.json() == read.json())
    stage.expect("is no new state", ada.call("GET", repo, headers=known).status_code == 304)
    ada.call("PATCH", repo, json={"metadata": {"seen": True}}).raise_for_status()
    changed = ada.call("GET", repo, headers=known)
    stage.expect("after a change: 200, all of it", changed.json()["metadata"]["seen"] is True)


def parallel_merges(stage: Stage, ada: User, repo: str) -> None:
    stage.step(f"{AT_ONCE} merge patches at once, each of a field of its own, none with If-Match")
    before = ada.call("GET", repo).json()
    fields = {f"field-{number}": number for number in range(AT_ONCE)}
    answers = _at_once(
        lambda number: ada.call(
            "PATCH", repo, json={"metadata": {f"field-{number}": fields[f"field-{number}"]}}
        )
    )
    stage.expect("all are done", {each.status_code for each in answers} == {200})
    after = ada.call("GET", repo).json()
    stage.expect(
        "and all stay, with what was there",
        after["metadata"] == before["metadata"] | fields,
        f"{len(after['metadata'])} fields",
    )
    versions = sorted(each.json()["version"] for each in answers)
    first = before["version"] + 1
    stage.expect(
        "one after the other: each made a version of its own",
        versions == list(range(first, first + AT_ONCE)),
        f"versions {versions[0]} to {versions[-1]}",
    )
    cleared = ada.call("PATCH", repo, json={"metadata": dict.fromkeys(fields)})
    stage.expect("null removes them", cleared.json()["metadata"] == before["metadata"])


def parallel_saves(stage: Stage, ada: User, repo: str) -> None:
    stage.step(f"{AT_ONCE} saves at once that all start from the same state")
    etag = {"If-Match": ada.call("GET", repo).headers["etag"]}
    answers = _at_once(
        lambda number: ada.call("PATCH", repo, json={"metadata": {"winner": number}}, headers=etag)
    )
    done = [each for each in answers if each.status_code == 200]
    late = [each for each in answers if problem(each) == "412 precondition-failed"]
    stage.show("answer", "times", rows=[("200", len(done)), ("412", len(late))])
    stage.expect("one wins", (len(done), len(late)) == (1, AT_ONCE - 1))
    stage.expect("and has what it saved", ada.call("GET", repo).json() == done[0].json())


def lost_answer(stage: Stage, ada: User, address: str, repos: str) -> None:
    stage.step("The connection breaks after a creation, and its answer never arrives")
    line = BreaksOnce()
    body = {"name": "paper", "path": "~/dev/paper"}
    key = {"Idempotency-Key": "the-one-with-the-paper"}
    error = None
    with httpx.Client(base_url=address, transport=line, timeout=30, trust_env=False) as client:
        caller = User(client, ada.token)
        try:
            caller.call("POST", repos, json=body, headers=key)
        except httpx.ReadError as broken:
            error = broken
        stage.expect("Ada does not know whether it was made", error is not None, str(error))
        again = caller.call("POST", repos, json=body, headers=key)
    stage.expect("she sends the same again, under the same key: 201", again.status_code == 201)
    stage.expect("byte for byte what she missed", again.content == line.lost, again.json()["id"])
    replayed = again.headers.get("idempotency-replayed")
    stage.expect("it says so", replayed == "true", f"Idempotency-Replayed: {replayed}")
    stage.expect("there is one", _names(ada, repos).count("paper") == 1, str(_names(ada, repos)))
    without = ada.call("POST", repos, json=body)
    stage.expect(
        "without the key it would be another one", problem(without) == "409 repo-name-taken"
    )


def parallel_retries(stage: Stage, ada: User, repos: str) -> None:
    stage.step(f"{AT_ONCE} impatient retries at once, under one key")
    key = {"Idempotency-Key": "impatient"}
    body = {"name": "slides", "path": "~/dev/slides"}
    answers = _at_once(lambda _: ada.call("POST", repos, json=body, headers=key))
    first = [each for each in answers if "idempotency-replayed" not in each.headers]
    stage.expect("all get 201", {each.status_code for each in answers} == {201})
    stage.expect("all get the same, byte for byte", len({each.content for each in answers}) == 1)
    stage.expect(
        "one of them made it, the others waited for it",
        len(first) == 1,
        f"{len(answers) - len(first)} replayed",
    )
    stage.expect("there is one", _names(ada, repos).count("slides") == 1)


def keys(stage: Stage, ada: User, eve: User, repos: str) -> None:
    stage.step("A key is for one request of one person")
    key = {"Idempotency-Key": "impatient"}
    other = ada.call("POST", repos, json={"name": "notes", "path": "~/n"}, headers=key)
    stage.expect("another body", problem(other) == "422 idempotency-key-reused", seen(other))
    path = repos.replace("repos", "vaults")
    elsewhere = ada.call("POST", path, json={"name": "slides", "path": "~/dev/slides"}, headers=key)
    stage.expect("another path", problem(elsewhere) == "422 idempotency-key-reused")
    hers = eve.call("POST", f"/user-profiles/{eve.id}/workspaces", json={"name": "X"}, headers=key)
    stage.expect(
        "somebody else's same key is another key",
        hers.status_code == 201 and "idempotency-replayed" not in hers.headers,
    )
    taken = {"name": "engine", "path": "~/dev/engine"}
    key = {"Idempotency-Key": "hopeful"}
    refused = ada.call("POST", repos, json=taken, headers=key)
    stage.expect("a refusal is not kept", problem(refused) == "409 repo-name-taken", seen(refused))
    engine = next(each for each in _items(ada, repos) if each["name"] == "engine")
    ada.call("DELETE", f"/repos/{engine['id']}").raise_for_status()
    hopeful = ada.call("POST", repos, json=taken, headers=key)
    stage.expect(
        "with the name free, the same request works",
        hopeful.status_code == 201 and "idempotency-replayed" not in hopeful.headers,
    )


class BreaksOnce(httpx.BaseTransport):
    """A line that breaks when the answer to the first POST is on its way: the work is done."""

    def __init__(self) -> None:
        self.lost: bytes | None = None
        self._line = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._line.handle_request(request)
        if request.method == "POST" and self.lost is None:
            self.lost = answer.read()
            raise httpx.ReadError("the connection is gone", request=request)
        return answer

    def close(self) -> None:
        self._line.close()


def _at_once(call: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(call, range(AT_ONCE)))


def _items(user: User, path: str) -> list[dict[str, Any]]:
    return user.call("GET", path).raise_for_status().json()["items"]


def _names(user: User, path: str) -> list[str]:
    return [each["name"] for each in _items(user, path)]


def _told(answer: httpx.Response) -> str:
    if answer.is_success:
        return f"{answer.status_code}, version {answer.json()['version']}"
    return problem(answer)


if __name__ == "__main__":
    perform(story)
