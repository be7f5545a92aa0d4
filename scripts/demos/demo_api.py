"""The API in ten minutes: sign up, create, find, protect, delete, over HTTP."""

from typing import Any

import httpx

from scripts.demos.support.demo_server import STOPS_WITHIN, Server, running_server
from scripts.demos.support.stage import Stage, perform
from scripts.demos.support.user import API, PASSWORD, User, outcome

WRONG_PASSWORD = "hunter2-hunter2"
UNAUTHENTICATED = "401 unauthenticated"


def story(stage: Stage) -> None:
    with running_server() as server:
        with server.client() as client:
            start(stage, client, server)
            ada = sign_up(stage, client)
            thesis = create(stage, ada)
            lists(stage, ada, thesis)
            across_workspaces(stage, ada, thesis)
            locks(stage, ada, thesis)
            safe_changes(stage, ada, thesis)
            problems(stage, client, ada)
            api_tokens(stage, client, ada)
            isolation(stage, client, ada, thesis)
        stop(stage, server)


def start(stage: Stage, client: httpx.Client, server: Server) -> None:
    stage.step("Start a server to try: one command, no database, nothing to configure")
    stage.run("symphony serve --demo", server.greeting)
    links = stage.exchange(client.get("/")).json()["links"]
    demo = User(client, server.token)
    workspaces = stage.exchange(
        demo.call("GET", f"/user-profiles/{demo.id}/workspaces"), "name", "workspace_type"
    ).json()["items"]
    stage.why(
        "everything lives in memory, with a user and some data to look at. /docs is the"
        " interactive documentation, and works without a network."
    )
    answers = {path: client.get(path).status_code for path in links.values()}
    stage.expect("the server listens on this machine only", "//127.0.0.1:" in server.address)
    stage.expect("every link of the start page works", set(answers.values()) == {200})
    stage.expect("the demo user has two workspaces", len(workspaces) == 2)


def sign_up(stage: Stage, client: httpx.Client) -> User:
    stage.step("Sign up and sign in")
    body = {"username": "ada", "email": "ada@example.org", "password": PASSWORD}
    created = stage.exchange(client.post(f"{API}/user-profiles", json=body))
    form = {"username": "ada", "password": PASSWORD}
    answer = stage.exchange(client.post(f"{API}/auth/token", data=form))
    stage.why(
        "the access token goes into the header `Authorization: Bearer …` of every request"
        " from here on. The server keeps only an Argon2 hash of the password."
    )
    stage.expect("a profile has been created", created.status_code == 201)
    stage.expect("no answer contains the password", PASSWORD not in created.text + answer.text)

    twin = stage.exchange(client.post(f"{API}/user-profiles", json=body | {"username": "ADA"}))
    wrong = client.post(f"{API}/auth/token", data=form | {"password": WRONG_PASSWORD})
    stage.exchange(wrong)
    anonymous = stage.exchange(client.get(f"{API}/user-profiles/me"))
    stage.why(
        "user names that differ by case only are the same, so no user can pose as Ada; a wrong"
        " password does not tell whether the user exists."
    )
    stage.expect("`ADA` is the same name as `ada`", outcome(twin) == "409 username-taken")
    stage.expect("a wrong password is refused", outcome(wrong) == "401 invalid-credentials")
    stage.expect("a request without a token is refused", outcome(anonymous) == UNAUTHENTICATED)
    return User(client, answer.json()["access_token"])


def create(stage: Stage, ada: User) -> str:
    stage.step("Create a workspace, with a repo and a vault in it")
    path = f"/user-profiles/{ada.id}/workspaces"
    body = {"name": " Thesis ", "workspace_type": "research"}
    created = stage.exchange(ada.call("POST", path, json=body))
    thesis = created.json()
    inside = f"/workspaces/{thesis['id']}"
    repo = {"name": "engine", "path": "~/dev/engine", "remote_url": "git@example.org:ada/e.git"}
    stage.exchange(ada.call("POST", f"{inside}/repos", json=repo), "id", "name", "path", "version")
    vault = {"name": "keys", "path": "~/vaults/keys"}
    stage.exchange(
        ada.call("POST", f"{inside}/vaults", json=vault), "id", "name", "protection", "is_locked"
    )
    stats = stage.exchange(ada.call("GET", f"{inside}/stats"))
    stage.why(
        "a workspace holds what belongs to one project: repos (git repositories on disk) and"
        " vaults (secrets, encrypted). Names are unique in their workspace, ids never change."
    )
    location = ada.call("GET", created.headers["location"])
    stage.expect("the name has been trimmed to `Thesis`", thesis["name"] == "Thesis")
    stage.expect("`Location` leads to the new workspace", location.json() == thesis)
    stage.expect("the workspace counts one repo and one vault", stats.json()["repo_count"] == 1)
    stage.expect("and two resources together", stats.json()["total_resources"] == 2)
    taken = ada.call("POST", path, json={"name": "THESIS"})
    stage.expect("a second `THESIS` is refused", outcome(taken) == "409 workspace-name-taken")
    return thesis["id"]


def lists(stage: Stage, ada: User, thesis: str) -> None:
    stage.step("List, sort and search")
    path = f"/workspaces/{thesis}/repos"
    for number in range(1, 7):
        ada.create(path, name=f"Chapter-{number}", path="~/thesis")
    answer = ada.call("GET", path, params={"limit": 3, "sort": "-name"})
    cursor = answer.json()["next_cursor"]
    stage.exchange(answer, "name")
    pages = [_names(answer)]
    while "next" in answer.links:
        answer = ada.call("GET", answer.links["next"]["url"])
        pages.append(_names(answer))
    stage.table("page", "repos", rows=enumerate(map(", ".join, pages), 1))
    found = stage.exchange(ada.call("GET", path, params={"q": "TER-3"}), "name")
    stage.why(
        "a page continues after the last item seen, not after a count: nothing is skipped or"
        " repeated while others add and delete, and page 1,000 is as quick as page 1."
    )
    names = [name for page in pages for name in page]
    stage.expect("three pages hold 3, 3 and 1 repos", [len(page) for page in pages] == [3, 3, 1])
    stage.expect("each repo appears once, from Z to A", names == sorted(names, key=str.lower)[::-1])
    stage.expect("`q` searches in names, in any case", _names(found) == ["Chapter-3"])
    other = ada.call("GET", path, params={"cursor": cursor, "sort": "name"})
    stage.expect(
        "a cursor of one list is refused by another", outcome(other) == "400 invalid-cursor"
    )


def across_workspaces(stage: Stage, ada: User, thesis: str) -> None:
    stage.step("Move a repo to another workspace, and search in all of them")
    archive = ada.create_workspace("Archive")
    mine = f"/user-profiles/{ada.id}/repos"
    engine = ada.call("GET", mine, params={"q": "engine"}).json()["items"][0]
    before = ada.call("GET", mine, params={"sort": "-updated_at", "limit": 1}).json()["items"][0]
    change = {"workspace_id": archive, "name": "old engine"}
    moved = stage.exchange(
        ada.call("PATCH", f"/repos/{engine['id']}", json=change), "name", "workspace_id", "version"
    )
    remote = {"remote": "https://EXAMPLE.org/ada/e"}
    found = stage.exchange(
        ada.call("GET", mine, params=remote), "name", "workspace_id", "remote_url"
    )
    since = {"updated_since": before["updated_at"], "sort": "updated_at"}
    news = stage.exchange(ada.call("GET", mine, params=since), "name", "updated_at")
    stage.why(
        "a repo keeps its id, its history and all that belongs to it. It is found by its remote,"
        " whatever the protocol; and a client that keeps a copy gets only what has changed."
    )
    counts = [
        ada.call("GET", f"/workspaces/{each}/stats").json()["repo_count"]
        for each in (thesis, archive)
    ]
    stage.expect("the move and the new name are one version", moved.json()["version"] == 2)
    stage.expect("both workspaces count right", counts == [6, 1])
    stage.expect("the remote finds the repo", _names(found) == ["old engine"])
    stage.expect("the change is the latest news", _names(news)[-1] == "old engine")
    stage.expect("and all older repos are left out", len(_names(news)) == 2)
    nowhere = ada.call("PATCH", f"/repos/{engine['id']}", json={"workspace_id": engine["id"]})
    stage.expect("an unknown workspace is refused", outcome(nowhere) == "422 validation-error")


def locks(stage: Stage, ada: User, thesis: str) -> None:
    stage.step("Lock a vault")
    vaults = f"/workspaces/{thesis}/vaults"
    path = f"/vaults/{ada.call('GET', vaults).json()['items'][0]['id']}"
    locked = stage.exchange(ada.call("POST", f"{path}/lock"), "name", "is_locked", "version")
    refused = stage.exchange(ada.call("PATCH", path, json={"name": "other"}))
    stage.why(
        "a locked vault stays as it is until it is unlocked; a program that runs wild"
        " gets 423. Passphrases, entries and sessions have a demo of their own: demo-vaults."
    )
    again = ada.call("POST", f"{path}/lock").json()
    stage.expect("locking is version 2 of the vault", locked.json()["version"] == 2)
    stage.expect("locking again creates no version 3", again["version"] == 2)
    stage.expect("a locked vault cannot be updated", outcome(refused) == "423 vault-locked")
    kept = ada.call("DELETE", path)
    stage.expect("a locked vault cannot be deleted", outcome(kept) == "423 vault-locked")
    ada.call("POST", f"{path}/unlock").raise_for_status()
    updated = ada.call("PATCH", path, json={"name": "secrets"})
    stage.expect("once unlocked, it can be renamed", updated.json()["name"] == "secrets")
    listed = ada.call("GET", vaults, params={"is_locked": "true"})
    stage.expect("no vault is listed as locked any more", listed.json()["items"] == [])


def safe_changes(stage: Stage, ada: User, thesis: str) -> None:
    stage.step("Update without overwriting, retry without creating twice")
    path = f"/workspaces/{thesis}"
    etag = ada.call("GET", path).headers["etag"]
    change: dict[str, Any] = {
        "json": {"settings": {"theme": "dark", "tabs": None}},
        "headers": {"If-Match": etag},
    }
    updated = stage.exchange(ada.call("PATCH", path, **change), "name", "settings", "version")
    stale = stage.exchange(ada.call("PATCH", path, **change))
    stage.why(
        "`If-Match` says which state the client has seen. The second request comes from"
        " a client that has not seen version 2, so it overwrites nothing."
    )
    stage.expect("the update has been saved", updated.json()["settings"] == {"theme": "dark"})
    stage.expect("the new state has an ETag of its own", updated.headers["etag"] != etag)
    stage.expect("the stale update is refused", outcome(stale) == "412 precondition-failed")
    known = {"If-None-Match": updated.headers["etag"]}
    unchanged = ada.call("GET", path, headers=known)
    stage.expect("a read of a known state is 304 without a body", unchanged.status_code == 304)

    repos, body = f"/workspaces/{thesis}/repos", {"name": "paper", "path": "~/dev/paper"}
    key = {"Idempotency-Key": "paper-1"}
    created = ada.call("POST", repos, json=body, headers=key)
    again = stage.exchange(ada.call("POST", repos, json=body, headers=key), "id", "name")
    stage.why(
        "with an Idempotency-Key a client may repeat a creation whose answer it missed: it"
        " gets the first answer again, and there is one repo."
    )
    stage.expect("both answers are equal, byte for byte", again.content == created.content)
    other = ada.call("POST", repos, json=body | {"name": "other"}, headers=key)
    stage.expect(
        "a key cannot be used for another request", outcome(other) == "422 idempotency-key-reused"
    )


def problems(stage: Stage, client: httpx.Client, ada: User) -> None:
    stage.step("Read an error")
    path = f"/user-profiles/{ada.id}/workspaces"
    as_json = {"Content-Type": "application/json"}
    invalid = stage.exchange(
        ada.call("POST", path, json={"name": "\n", "id": 1}),
        *("type", "title", "status", "detail", "instance", "code", "errors", "request_id"),
    )
    stage.why(
        "every error has this form (RFC 9457). `code` is for programs, `detail` for people,"
        " `type` is a page that says what to do, and `errors` points at every wrong field at once."
    )
    too_large = b" " * 1_048_577
    sent = {
        "422 validation-error": ("an invalid name", invalid),
        "400 malformed-request": (
            "broken JSON",
            ada.call("POST", path, content="{", headers=as_json),
        ),
        "415 unsupported-media-type": ("a text", ada.call("POST", path, content="name=Thesis")),
        "413 payload-too-large": (
            "1,048,577 bytes",
            ada.call("POST", path, content=too_large, headers=as_json),
        ),
        "404 route-not-found": ("an unknown address", ada.call("GET", "/orchestras")),
        "405 method-not-allowed": ("DELETE of a list", ada.call("DELETE", path)),
    }
    stage.table(
        "sent", "status and code", rows=[(what, outcome(each)) for what, each in sent.values()]
    )
    stage.expect(
        "each mistake has a code of its own",
        [outcome(each) for _, each in sent.values()] == list(sent),
    )
    pointers = sorted(each["pointer"] for each in invalid.json()["errors"])
    stage.expect("both wrong fields are reported", pointers == ["/id", "/name"])
    allow = sent["405 method-not-allowed"][1].headers["allow"]
    stage.expect("405 says which methods are allowed", allow == "GET, HEAD, OPTIONS, POST", allow)
    explained = client.get(invalid.json()["type"])
    stage.expect("the problem type is a page on this server", explained.status_code == 200)


def api_tokens(stage: Stage, client: httpx.Client, ada: User) -> None:
    stage.step("Give a script a token that can only read")
    body = {"name": "backup", "scopes": ["read"]}
    created = stage.exchange(ada.call("POST", "/api-tokens", json=body), "id", "scopes", "token")
    listed = ada.call("GET", "/api-tokens").text
    backup = User(client, created.json()["token"])
    wrote = stage.exchange(
        backup.call("POST", f"/user-profiles/{ada.id}/workspaces", json={"name": "Hack"})
    )
    revoked = stage.exchange(ada.call("DELETE", f"/api-tokens/{created.json()['id']}"))
    after = stage.exchange(backup.call("GET", "/user-profiles/me"))
    stage.why(
        "a leaked backup script cannot delete your work, and its token is revoked with one"
        " request, which takes effect at once."
    )
    stage.expect(
        "the token is shown at its creation only",
        created.json()["id"] in listed and created.json()["token"] not in listed,
    )
    stage.expect("the script can read", backup.id == ada.id)
    stage.expect("the script cannot write", outcome(wrote) == "403 insufficient-scope")
    stage.expect("the token has been revoked", revoked.status_code == 204)
    stage.expect("a revoked token is refused", outcome(after) == UNAUTHENTICATED)


def isolation(stage: Stage, client: httpx.Client, ada: User, thesis: str) -> None:
    stage.step("Another user finds nothing")
    body = {"username": "eve", "email": "eve@example.org", "password": PASSWORD}
    client.post(f"{API}/user-profiles", json=body).raise_for_status()
    form = {"username": "eve", "password": PASSWORD}
    eve = User(client, client.post(f"{API}/auth/token", data=form).json()["access_token"])
    stage.exchange(eve.call("GET", f"/workspaces/{thesis}"))
    stage.why(
        "Eve knows the id of Ada's workspace, and gets the same answer as for an id that never"
        " existed. She cannot find out whether it does."
    )
    unknown = thesis[:-12] + "0" * 12
    same_request = {"X-Request-ID": "demo"}
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "", {}),
        ("PATCH", "", {"json": {"name": "Mine"}}),
        ("DELETE", "?force=true", {}),
        ("GET", "/stats", {}),
        ("GET", "/repos", {}),
        ("POST", "/vaults", {"json": {"name": "spy", "path": "/v"}}),
    ]
    for method, rest, options in requests:
        existing, missing = (
            eve.call(method, f"/workspaces/{each}{rest}", headers=same_request, **options)
            for each in (thesis, unknown)
        )
        stage.expect(
            f"{method} /workspaces/{{id}}{rest} is the same 404, byte for byte",
            outcome(existing) == "404 workspace-not-found"
            and existing.text.replace(thesis, unknown) == missing.text,
        )
    still = ada.call("GET", f"/workspaces/{thesis}")
    stage.expect("Ada's workspace is unchanged", still.json()["name"] == "Thesis")


def stop(stage: Stage, server: Server) -> None:
    stage.step("Stop the server")
    status, seconds = server.stop()
    stage.run("kill -TERM $SYMPHONY_PID", f"exit code {status} after {seconds:.1f} s")
    log = server.log
    stage.expect(f"it stops within {STOPS_WITHIN} seconds", seconds < STOPS_WITHIN)
    stage.expect("its exit code is 0", status == 0)
    stage.expect("it leaves no file behind", server.files == [])
    stage.expect("its log names routes", "/workspaces/{workspace_id}" in log)
    stage.expect("its log holds no token, password or id from a path", not _secrets(log))


def _names(answer: httpx.Response) -> list[str]:
    return [each["name"] for each in answer.json()["items"]]


def _secrets(log: str) -> list[str]:
    secrets = ("sym_", "eyJ", PASSWORD, WRONG_PASSWORD, "/workspaces/0")
    return [each for each in secrets if each in log]


if __name__ == "__main__":
    perform(story)
