"""Safe changes: two editors, many clients at the same time, and a lost answer."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from scripts.demos.support.demo_server import running_server
from scripts.demos.support.stage import Stage, perform
from scripts.demos.support.user import User, outcome, sign_up

CLIENTS = 20
SAVED = ("name", "metadata", "version")


def story(stage: Stage) -> None:
    with running_server() as server, server.client() as client:
        ada, eve = sign_up(client, "ada"), sign_up(client, "eve")
        repos = f"/workspaces/{ada.create_workspace('Thesis')}/repos"
        repo = f"/repos/{ada.create(repos, name='engine', path='~/dev/engine')['id']}"
        two_editors(stage, ada, repo)
        known_state(stage, ada, repo)
        parallel_merges(stage, ada, repo)
        parallel_saves(stage, ada, repo)
        lost_answer(stage, ada, server.address, repos)
        parallel_retries(stage, ada, repos)
        scope_of_a_key(stage, ada, eve, repos)


def two_editors(stage: Stage, ada: User, repo: str) -> None:
    stage.step("Ada has the same repo open in two editors, at home and at work")
    at_home, at_work = (ada.call("GET", repo) for _ in range(2))
    stage.exchange(at_home, "name", "metadata", "version")

    def save(tags: list[str], seen: httpx.Response) -> httpx.Response:
        condition = {"If-Match": seen.headers["etag"]}
        answer = ada.call("PATCH", repo, json={"metadata": {"tags": tags}}, headers=condition)
        return stage.exchange(answer, *SAVED) if answer.is_success else stage.exchange(answer)

    saved = save(["home"], at_home)
    refused = save(["work"], at_work)
    stage.why(
        "without `If-Match` the editor at work would silently have overwritten what was saved"
        " at home. With it, the later save is refused and nothing is lost."
    )
    stage.expect("both editors have read the same ETag", _etag(at_home) == _etag(at_work))
    stage.expect("the first save succeeds", saved.status_code == 200)
    stage.expect("and changes the ETag", _etag(saved) != _etag(at_home))
    stage.expect("the second save is refused", outcome(refused) == "412 precondition-failed")
    stage.expect("the error contains the current version", refused.json()["current_version"] == 2)
    stage.expect("the repo is as saved at home", ada.call("GET", repo).json() == saved.json())

    stage.step("So the editor at work reads again, merges, and saves")
    fresh = ada.call("GET", repo)
    merged = save([*fresh.json()["metadata"]["tags"], "work"], fresh)
    stage.why("read, merge, save, and start over on 412: that is the whole protocol.")
    stage.expect("both tags are kept", merged.json()["metadata"]["tags"] == ["home", "work"])


def known_state(stage: Stage, ada: User, repo: str) -> None:
    stage.step("A client that has the current state does not load it again")
    read = ada.call("GET", repo)
    known = {"If-None-Match": _etag(read)}
    unchanged = stage.exchange(ada.call("GET", repo, headers=known))
    stage.why("polling is cheap, for the client, the network and the server.")
    stage.expect("the status is 304", unchanged.status_code == 304)
    stage.expect("there is no body", unchanged.content == b"")
    same = ada.call("PATCH", repo, json={"metadata": read.json()["metadata"]})
    stage.expect("a patch without a change returns the same state", same.json() == read.json())
    again = ada.call("GET", repo, headers=known)
    stage.expect("and keeps the ETag", again.status_code == 304)
    ada.call("PATCH", repo, json={"metadata": {"seen": True}}).raise_for_status()
    changed = ada.call("GET", repo, headers=known)
    stage.expect("after a change the whole repo is sent", changed.json()["metadata"]["seen"])


def parallel_merges(stage: Stage, ada: User, repo: str) -> None:
    stage.step(f"{CLIENTS} clients update {CLIENTS} different fields at the same time")
    before = ada.call("GET", repo).json()
    fields = {f"field-{number}": number for number in range(CLIENTS)}
    answers = _in_parallel(
        lambda number: ada.call(
            "PATCH", repo, json={"metadata": {f"field-{number}": fields[f"field-{number}"]}}
        )
    )
    stage.exchange(answers[0], "metadata", "version")
    stage.say(f"… and {CLIENTS - 1} more, in parallel.")
    stage.why(
        "a patch is merged (RFC 7396) into the state that is there when it runs, so"
        " changes of different fields need no `If-Match` and none is lost."
    )
    after = ada.call("GET", repo).json()
    versions = sorted(each.json()["version"] for each in answers)
    first = before["version"] + 1
    stage.expect("all succeed", {each.status_code for each in answers} == {200})
    stage.expect(
        f"all {CLIENTS} fields are stored, beside those that were there",
        after["metadata"] == before["metadata"] | fields,
    )
    stage.expect(
        "each update is a version of its own",
        versions == list(range(first, first + CLIENTS)),
        f"versions {versions[0]} to {versions[-1]}",
    )
    cleared = ada.call("PATCH", repo, json={"metadata": dict.fromkeys(fields)})
    stage.expect("null removes a field", cleared.json()["metadata"] == before["metadata"])


def parallel_saves(stage: Stage, ada: User, repo: str) -> None:
    stage.step(f"{CLIENTS} clients save the same field at the same time, all from one state")
    etag = {"If-Match": _etag(ada.call("GET", repo))}
    answers = _in_parallel(
        lambda number: ada.call("PATCH", repo, json={"metadata": {"winner": number}}, headers=etag)
    )
    done = [each for each in answers if each.status_code == 200]
    late = [each for each in answers if outcome(each) == "412 precondition-failed"]
    stage.exchange(done[0], "metadata", "version")
    stage.table("answer", "clients", rows=[("200", len(done)), ("412", len(late))])
    stage.why("exactly one client wins, and the others know that they have not.")
    stage.expect("one save succeeds", len(done) == 1)
    stage.expect("all others are refused", len(late) == CLIENTS - 1)
    stage.expect("the repo holds what the winner saved", _read(ada, repo) == done[0].json())


def lost_answer(stage: Stage, ada: User, address: str, repos: str) -> None:
    stage.step("The connection breaks after a creation, so its answer never arrives")
    connection = BreaksOnce()
    body = {"name": "paper", "path": "~/dev/paper"}
    key = {"Idempotency-Key": "paper-2027"}
    client = httpx.Client(base_url=address, transport=connection, timeout=30, trust_env=False)
    with client:
        caller = User(client, ada.token)
        is_broken = False
        try:
            caller.call("POST", repos, json=body, headers=key)
        except httpx.ReadError:
            is_broken = True
        stage.say("Sent once, and the connection was lost. So the client sends it again:")
        again = stage.exchange(caller.call("POST", repos, json=body, headers=key), "id", "name")
    stage.why(
        "a client cannot know whether a lost request took effect. With an Idempotency-Key it"
        " just sends the request again: the server created the repo once, and repeats its answer."
    )
    names = [each["name"] for each in _items(ada, repos)]
    stage.expect("the first answer was lost", is_broken and connection.lost)
    stage.expect("the retry is answered with 201", again.status_code == 201)
    stage.expect("byte for byte as the first time", again.content == connection.lost)
    replayed = again.headers.get("idempotency-replayed")
    stage.expect("the answer is marked as a repetition", replayed == "true")
    stage.expect("there is one repo of this name", names.count("paper") == 1)
    without = ada.call("POST", repos, json=body)
    stage.expect(
        "without a key the retry would be a conflict", outcome(without) == "409 repo-name-taken"
    )


def parallel_retries(stage: Stage, ada: User, repos: str) -> None:
    stage.step(f"{CLIENTS} impatient retries at the same time, with one key")
    key = {"Idempotency-Key": "impatient"}
    body = {"name": "slides", "path": "~/dev/slides"}
    answers = _in_parallel(lambda _: ada.call("POST", repos, json=body, headers=key))
    first = [each for each in answers if "idempotency-replayed" not in each.headers]
    stage.exchange(first[0], "id", "name")
    stage.table(
        *("answer", "requests"),
        rows=[("201, created", len(first)), ("201, replayed", len(answers) - len(first))],
    )
    stage.why("a double click or an aggressive retry policy does not create duplicates.")
    names = [each["name"] for each in _items(ada, repos)]
    stage.expect("all are answered with 201", {each.status_code for each in answers} == {201})
    stage.expect("with the same bytes", len({each.content for each in answers}) == 1)
    stage.expect("one request created the repo", len(first) == 1)
    stage.expect("there is one repo of this name", names.count("slides") == 1)


def scope_of_a_key(stage: Stage, ada: User, eve: User, repos: str) -> None:
    stage.step("A key is valid for one request of one user")
    key = {"Idempotency-Key": "impatient"}
    other = {"name": "notes", "path": "~/notes"}
    reused = stage.exchange(ada.call("POST", repos, json=other, headers=key))
    stage.why("a client that mixes up its keys gets an error, not the answer to another request.")
    reuse = "422 idempotency-key-reused"
    stage.expect("the key does not fit another body", outcome(reused) == reuse)
    vaults = repos.replace("repos", "vaults")
    slides = {"name": "slides", "path": "~/dev/slides"}
    elsewhere = ada.call("POST", vaults, json=slides, headers=key)
    stage.expect("nor another path", outcome(elsewhere) == reuse)
    hers = eve.call("POST", f"/user-profiles/{eve.id}/workspaces", json={"name": "X"}, headers=key)
    stage.expect("the same key of another user is another key", _is_first(hers))
    taken = {"name": "engine", "path": "~/dev/engine"}
    key = {"Idempotency-Key": "hopeful"}
    refused = ada.call("POST", repos, json=taken, headers=key)
    stage.expect("an error is not kept for a key", outcome(refused) == "409 repo-name-taken")
    engine = next(each for each in _items(ada, repos) if each["name"] == "engine")
    ada.call("DELETE", f"/repos/{engine['id']}").raise_for_status()
    hopeful = ada.call("POST", repos, json=taken, headers=key)
    stage.expect("so the retry succeeds once the name is free", _is_first(hopeful))


class BreaksOnce(httpx.BaseTransport):
    """A connection that breaks before the answer to the first POST arrives; the work is done."""

    def __init__(self) -> None:
        self.lost: bytes | None = None
        self._transport = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._transport.handle_request(request)
        if request.method == "POST" and self.lost is None:
            self.lost = answer.read()
            raise httpx.ReadError("the connection was lost", request=request)
        return answer

    def close(self) -> None:
        self._transport.close()


def _in_parallel(call: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    with ThreadPoolExecutor(CLIENTS) as threads:
        return list(threads.map(call, range(CLIENTS)))


def _items(user: User, path: str) -> list[dict[str, Any]]:
    return _read(user, path)["items"]


def _read(user: User, path: str) -> dict[str, Any]:
    return user.call("GET", path).raise_for_status().json()


def _etag(answer: httpx.Response) -> str:
    return answer.headers["etag"]


def _is_first(answer: httpx.Response) -> bool:
    """Whether this request created something, and does not repeat an earlier answer."""
    return answer.status_code == 201 and "idempotency-replayed" not in answer.headers


if __name__ == "__main__":
    perform(story)
