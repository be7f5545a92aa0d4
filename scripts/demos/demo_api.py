"""The API: the real server, called over HTTP as by somebody who has just heard of it."""

from typing import Any

import httpx
from caller import API, User, problem, seen
from real_server import ENDS_WITHIN, Server, running_server
from stage import Stage, perform

PASSWORD = "correct horse battery staple"


def story(stage: Stage) -> None:
    with running_server() as server:
        # Not by way of a proxy that the environment may name.
        with httpx.Client(base_url=server.address, timeout=30, trust_env=False) as client:
            start(stage, client, server)
            ada = sign_up(stage, client)
            thesis = making(stage, ada)
            retries(stage, ada, thesis)
            locks(stage, ada, thesis)
            pages(stage, ada, thesis)
            conditions(stage, ada, thesis)
            problems(stage, client, ada)
            api_tokens(stage, client, ada)
            isolation(stage, client, ada, thesis)
        end(stage, server)


def start(stage: Stage, client: httpx.Client, server: Server) -> None:
    stage.step("symphony serve --demo says where it is, and who one can be")
    stage.expect(
        "it listens on this machine only", "//127.0.0.1:" in server.address, server.address
    )
    front = client.get("/").json()
    stage.show("link", "leads to", rows=front["links"].items())
    stage.expect("its start page tells its name", front["name"] == "Symphony")
    answers = {name: client.get(path).status_code for name, path in front["links"].items()}
    stage.expect("and every link on it works", set(answers.values()) == {200}, str(answers))
    demo = User(client, server.token)
    workspaces = demo.call("GET", f"/user-profiles/{demo.id}/workspaces").json()["items"]
    names = ", ".join(each["name"] for each in workspaces)
    stage.expect("the demo user's token works, and things are there", len(workspaces) == 2, names)


def sign_up(stage: Stage, client: httpx.Client) -> User:
    stage.step("A newcomer signs up, and signs in")
    body = {"username": "ada", "email": "ada@example.org", "password": PASSWORD}
    made = client.post(f"{API}/user-profiles", json=body)
    stage.expect("a profile", made.status_code == 201, made.headers["location"])
    stage.expect("that tells no password", "password" not in made.text)
    twin = client.post(f"{API}/user-profiles", json=body | {"username": "ADA"})
    stage.expect("there is one ada only", problem(twin) == "409 username-taken", seen(twin))
    answer = client.post(f"{API}/auth/token", data={"username": "ada", "password": PASSWORD})
    signed_in = answer.json()
    stage.expect(
        "an access token", (answer.status_code, signed_in["token_type"]) == (200, "bearer")
    )
    wrong = client.post(f"{API}/auth/token", data={"username": "ada", "password": "hunter2"})
    stage.expect(
        "not for another password", problem(wrong) == "401 invalid-credentials", seen(wrong)
    )
    nobody = client.get(f"{API}/user-profiles/me")
    stage.expect("nothing without a token", problem(nobody) == "401 unauthenticated", seen(nobody))
    return User(client, signed_in["access_token"])


def making(stage: Stage, ada: User) -> str:
    stage.step("She makes a workspace, and puts a repo and a vault into it")
    path = f"/user-profiles/{ada.id}/workspaces"
    made = ada.call("POST", path, json={"name": " Thesis ", "workspace_type": "research"})
    thesis = made.json()
    stage.expect("a workspace, trimmed", (made.status_code, thesis["name"]) == (201, "Thesis"))
    location = ada.call("GET", made.headers["location"])
    stage.expect("its Location leads to it", location.json() == thesis, made.headers["location"])
    inside = f"/workspaces/{thesis['id']}"
    remote = "git@example.org:ada/engine.git"
    repo = ada.make(f"{inside}/repos", name="engine", path="~/dev/engine", remote_url=remote)
    vault = ada.make(f"{inside}/vaults", name="keys", path="~/vaults/keys")
    stage.show(
        "noun",
        "name",
        "path",
        "version",
        rows=[
            (noun, each["name"], each["path"], each["version"])
            for noun, each in (("repo", repo), ("vault", vault))
        ],
    )
    stats = ada.call("GET", f"{inside}/stats").json()
    stage.expect("one repo, one vault", stats["total_resources"] == 2, str(stats))
    taken = ada.call("POST", path, json={"name": "THESIS"})
    stage.expect("the name is taken", problem(taken) == "409 workspace-name-taken", seen(taken))
    return thesis["id"]


def retries(stage: Stage, ada: User, thesis: str) -> None:
    stage.step("What may have been lost on the way can be sent again, under the same key")
    path, body = f"/workspaces/{thesis}/repos", {"name": "paper", "path": "~/dev/paper"}
    key = {"Idempotency-Key": "the-one-with-the-paper"}
    first, again = (ada.call("POST", path, json=body, headers=key) for _ in range(2))
    stage.expect("both get the same 201", (again.status_code, again.text) == (201, first.text))
    stage.expect("and are told apart", again.headers.get("idempotency-replayed") == "true")
    other = ada.call("POST", path, json=body | {"name": "other"}, headers=key)
    stage.expect(
        "a key is for one request", problem(other) == "422 idempotency-key-reused", seen(other)
    )
    ada.call("DELETE", first.headers["location"]).raise_for_status()


def locks(stage: Stage, ada: User, thesis: str) -> None:
    stage.step("A locked vault is not changed")
    vault = ada.call("GET", f"/workspaces/{thesis}/vaults").json()["items"][0]
    path = f"/vaults/{vault['id']}"
    locked = [ada.call("POST", f"{path}/lock").json() for _ in range(2)]
    stage.expect(
        "locked; a second time changes nothing", [each["version"] for each in locked] == [2, 2]
    )
    refused = ada.call("PATCH", path, json={"name": "other"})
    stage.expect("a change is refused", problem(refused) == "423 vault-locked", seen(refused))
    kept = ada.call("DELETE", path)
    stage.expect("and so is its end", problem(kept) == "423 vault-locked")
    ada.call("POST", f"{path}/unlock").raise_for_status()
    changed = ada.call("PATCH", path, json={"name": "secrets"})
    stage.expect("unlocked, it has another name", changed.json()["name"] == "secrets")
    listed = ada.call("GET", f"/workspaces/{thesis}/vaults", params={"is_locked": "true"})
    stage.expect("no vault is locked any more", listed.json()["items"] == [])


def pages(stage: Stage, ada: User, thesis: str) -> None:
    stage.step("Lists come in pages, each with a link to the next")
    path = f"/workspaces/{thesis}/repos"
    for number in range(6):
        ada.make(path, name=f"Part-{number}", path="/r")
    answer = ada.call("GET", path, params={"limit": 3, "sort": "-name"})
    walked = [answer.json()["items"]]
    first_cursor = answer.json()["next_cursor"]
    while "next" in answer.links:
        answer = ada.call("GET", answer.links["next"]["url"])
        walked.append(answer.json()["items"])
    stage.show("page", "repos", rows=[(i, _names(page)) for i, page in enumerate(walked, 1)])
    names = [each["name"] for page in walked for each in page]
    stage.expect("three pages", [len(page) for page in walked] == [3, 3, 1])
    stage.expect("each repo once, from z to a", names == sorted(names, key=str.lower)[::-1])
    found = ada.call("GET", path, params={"q": "PART-3"}).json()["items"]
    stage.expect("?q= finds a part of the name", _names(found) == "Part-3")
    foreign = ada.call("GET", path, params={"cursor": first_cursor, "sort": "name"})
    stage.expect(
        "a cursor works for its own list", problem(foreign) == "400 invalid-cursor", seen(foreign)
    )


def conditions(stage: Stage, ada: User, thesis: str) -> None:
    stage.step("ETags: nobody overwrites what they have not seen")
    path = f"/workspaces/{thesis}"
    etag = ada.call("GET", path).headers["etag"]
    unchanged = ada.call("GET", path, headers={"If-None-Match": etag})
    stage.expect(
        "seen already: 304, no content", (unchanged.status_code, unchanged.content) == (304, b"")
    )
    patch = {"settings": {"theme": "dark", "tabs": None}}
    change = {"json": patch, "headers": {"If-Match": etag}}
    newer = ada.call("PATCH", path, **change)
    stage.expect(
        "a change of the state she has seen",
        newer.status_code == 200,
        str(newer.json()["settings"]),
    )
    stage.expect("makes another ETag", newer.headers["etag"] != etag)
    stale = ada.call("PATCH", path, **change)
    stage.expect(
        "the same again is stale", problem(stale) == "412 precondition-failed", seen(stale)
    )
    stage.expect("and tells the present version", stale.json()["current_version"] == 2)


def problems(stage: Stage, client: httpx.Client, ada: User) -> None:
    stage.step("Errors say what is wrong, in one form")
    path = f"/user-profiles/{ada.id}/workspaces"
    as_json = {"Content-Type": "application/json"}
    tried = {
        "422 validation-error": ada.call("POST", path, json={"name": "\n", "id": 1}),
        "400 malformed-request": ada.call("POST", path, content='{"name": NaN}', headers=as_json),
        "415 unsupported-media-type": ada.call("POST", path, content="name=Thesis"),
        "413 payload-too-large": ada.call("POST", path, content=b" " * 1_048_577, headers=as_json),
        "404 route-not-found": ada.call("GET", "/orchestras"),
        "405 method-not-allowed": ada.call("DELETE", path),
    }
    stage.show(
        "problem",
        "detail",
        rows=[(problem(each), each.json()["detail"]) for each in tried.values()],
    )
    stage.expect(
        "each is what it should be", [problem(each) for each in tried.values()] == list(tried)
    )
    pointers = [each["pointer"] for each in tried["422 validation-error"].json()["errors"]]
    stage.expect("a 422 points at every wrong field", sorted(pointers) == ["/id", "/name"])
    allow = tried["405 method-not-allowed"].headers["allow"]
    stage.expect("a 405 tells what is allowed", allow == "GET, HEAD, POST", allow)
    explained = client.get(tried["404 route-not-found"].json()["type"])
    stage.expect("and each type is a page to read", "nothing at this address" in explained.text)


def api_tokens(stage: Stage, client: httpx.Client, ada: User) -> None:
    stage.step("A token for a program is shown once, is scoped, and ends at once")
    made = ada.make("/api-tokens", name="backup", scopes=["read"])
    stage.expect("it is shown when it is made", made["token"].startswith("sym_"))
    listed = ada.call("GET", "/api-tokens")
    stage.expect("and never again", made["id"] in listed.text and made["token"] not in listed.text)
    backup = User(client, made["token"])
    stage.expect("it reads", backup.id == ada.id)
    wrote = backup.call("POST", f"/user-profiles/{ada.id}/workspaces", json={"name": "Hack"})
    stage.expect("but does not write", problem(wrote) == "403 insufficient-scope", seen(wrote))
    revoked = ada.call("DELETE", f"/api-tokens/{made['id']}")
    after = backup.call("GET", "/user-profiles/me")
    stage.expect("revoked", revoked.status_code == 204)
    stage.expect("it is nobody's at once", problem(after) == "401 unauthenticated", seen(after))


def isolation(stage: Stage, client: httpx.Client, ada: User, thesis: str) -> None:
    stage.step("What belongs to somebody else does not exist")
    body = {"username": "eve", "email": "eve@example.org", "password": PASSWORD}
    client.post(f"{API}/user-profiles", json=body).raise_for_status()
    form = {"username": "eve", "password": PASSWORD}
    eve = User(client, client.post(f"{API}/auth/token", data=form).json()["access_token"])
    never_given = thesis[:-12] + "0" * 12
    same_request = {"X-Request-ID": "demo"}
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "", {}),
        ("PATCH", "", {"json": {"name": "Mine"}}),
        ("DELETE", "?force=true", {}),
        ("GET", "/stats", {}),
        ("GET", "/repos", {}),
        ("POST", "/vaults", {"json": {"name": "spy", "path": "/v"}}),
    ]
    for method, rest, options in asked:
        hers, nobodys = (
            eve.call(method, f"/workspaces/{each}{rest}", headers=same_request, **options)
            for each in (thesis, never_given)
        )
        stage.expect(
            f"{method} /workspaces/{{id}}{rest}: the same 404, byte for byte",
            problem(hers) == "404 workspace-not-found"
            and hers.text.replace(thesis, never_given) == nobodys.text,
        )
    still = ada.call("GET", f"/workspaces/{thesis}")
    stage.expect("and ada has what she had", still.json()["name"] == "Thesis")


def end(stage: Stage, server: Server) -> None:
    stage.step("Told to stop (SIGTERM), it ends, and nothing stays")
    status, seconds = server.stop()
    stage.expect("within seconds", seconds < ENDS_WITHIN, f"{seconds:.1f} s")
    stage.expect("as it should: exit code 0", status == 0, f"exit code {status}")
    stage.expect("no file was written", server.files == [])
    log = server.log
    stage.expect("the log tells routes", "/workspaces/{workspace_id}" in log)
    stage.expect("and no token, password or id in a path", not _secrets(log))


def _names(items: list[dict[str, Any]]) -> str:
    return ", ".join(each["name"] for each in items)


def _secrets(log: str) -> list[str]:
    return [each for each in ("sym_", "eyJ", PASSWORD, "hunter2", "/workspaces/0") if each in log]


if __name__ == "__main__":
    perform(story)
