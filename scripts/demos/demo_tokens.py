"""Tokens: two clients, an agent, a build server and a laptop; each token reaches what it needs."""

import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from scripts.demos.support.demo_server import running_server
from scripts.demos.support.stage import Stage, perform
from scripts.demos.support.user import API, User, outcome, sign_up
from scripts.support.git_repository import Repository
from symphony.domain.base import new_id

PASSPHRASE = "harp anvil moss comet ladle"
KEY = "deploy/password"
SECRET = "not hunter2"
OVERLAP = 3  # seconds
EXPIRED_WITHIN = 20  # seconds; the overlap, on a busy machine
REFUSED = "403 insufficient-scope"
REVOKED = "401 unauthenticated"


@dataclass(frozen=True, slots=True)
class Program:
    """A program that has an API token, and nothing else."""

    client: httpx.Client
    token: str

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} | options.pop("headers", {})
        return self.client.request(method, API + path, headers=headers, **options)

    def outcome(self, path: str = "/api-tokens/current") -> str:
        return outcome(self.call("GET", path))


@dataclass(frozen=True, slots=True)
class Client:
    """A client of the consultancy: a workspace with a repo and a vault."""

    workspace: str
    repo: str
    vault: str


@dataclass(frozen=True, slots=True)
class Consultancy:
    """Ada, who works for two clients."""

    stage: Stage
    http: httpx.Client
    ada: User
    acme: Client
    borealis: Client

    def issue(self, name: str, *scopes: str, **fields: Any) -> tuple[Program, httpx.Response]:
        """Create an API token with Ada's access token."""
        body = {"name": name, "scopes": scopes} | fields
        answer = self.ada.call("POST", "/api-tokens", json=body).raise_for_status()
        return Program(self.http, answer.json()["token"]), answer


def story(stage: Stage) -> None:
    with tempfile.TemporaryDirectory(prefix="symphony-demo-") as temporary:
        dev = Path(temporary).resolve() / "dev"
        with running_server("--git-root", str(make(dev))) as server, server.client() as http:
            ada = sign_up(http, "ada")
            two = [register(ada, dev, name) for name in ("Acme", "Borealis")]
            office = Consultancy(stage, http, ada, *two)
            agent = confined_agent(office)
            outside(office, agent)
            secrets(office, agent)
            build_server(office)
            no_wider_token(office)
            rotation(office)
            revocation(office, agent)
            expiry(office)
            laptop(office)
            clean_up(office)


def make(dev: Path) -> Path:
    """Create a clone for each client, with work that is not committed."""
    for name in ("acme-shop", "borealis-shop"):
        Repository.with_commits(dev / name, "notes").write("notes", "not committed\n")
    return dev


def register(ada: User, dev: Path, name: str) -> Client:
    """Create the workspace of a client, with a repo, and a secret behind a passphrase."""
    workspace = ada.create_workspace(name)
    folder = dev / f"{name.lower()}-shop"
    repo = ada.create(f"/workspaces/{workspace}/repos", name=folder.name, path=str(folder))
    vault = ada.create(
        f"/workspaces/{workspace}/vaults",
        name="keys",
        path="~/keys",
        protection="passphrase",
        passphrase=PASSPHRASE,
    )["id"]
    unlocked = ada.create(f"/vaults/{vault}/unlock", passphrase=PASSPHRASE)
    ada.call(
        "PUT",
        f"/vaults/{vault}/entries/{KEY}",
        json={"content": SECRET},
        headers={"Vault-Session": unlocked["session"]},
    ).raise_for_status()
    ada.call("POST", f"/vaults/{vault}/lock").raise_for_status()
    return Client(workspace, repo["id"], vault)


def confined_agent(office: Consultancy) -> Program:
    stage, ada = office.stage, office.ada
    stage.step("A coding agent works for one client: Acme")
    agent, created = office.issue("agent", "read", workspace_ids=[office.acme.workspace])
    stage.exchange(created, "name", "scopes", "workspace_ids", "token")
    stage.why(
        "Ada has promised each client that the other one learns nothing of it. An agent reads what"
        " it finds, and sends it to a model: it must find nothing of Borealis."
    )
    current = stage.exchange(agent.call("GET", "/api-tokens/current"), "user_profile_id", "scopes")
    stage.say("The agent asks who it is, and gets the id for its other requests.")
    me = current.json()["user_profile_id"]
    stage.expect("it works for Ada", me == ada.id)

    lists = f"/user-profiles/{me}"
    stage.exchange(agent.call("GET", f"{lists}/repos?q=shop"), "name", "workspace_id")
    board = stage.exchange(agent.call("GET", f"{lists}/attention"), "name", "reasons")
    stats = stage.exchange(agent.call("GET", f"/workspaces/{office.acme.workspace}/stats"))
    stage.expect("Ada's search finds both shops", len(names(ada, f"{lists}/repos?q=shop")) == 2)
    shops = names(agent, f"{lists}/repos?q=shop")
    stage.expect("the agent's search finds one", shops == ["acme-shop"])
    stage.expect("one workspace is listed", names(agent, f"{lists}/workspaces") == ["Acme"])
    here = [each["name"] for each in board.json()["items"]]
    stage.expect("its board has unfinished work of Acme only", here == ["acme-shop"])
    both = sorted(names(ada, f"{lists}/attention"))
    stage.expect("Ada's board has both", both == ["acme-shop", "borealis-shop"])
    stage.expect("stats of its workspace are complete", stats.json()["total_resources"] == 2)
    stage.expect("nothing names the other client", "orealis" not in board.text)
    return agent


def names(caller: User | Program, path: str) -> list[str]:
    return [each["name"] for each in caller.call("GET", path).raise_for_status().json()["items"]]


def outside(office: Consultancy, agent: Program) -> None:
    stage = office.stage
    stage.step("The agent tries the repo of the other client")
    foreign, unknown = office.borealis.repo, str(new_id())
    answer = stage.exchange(agent.call("GET", f"/repos/{foreign}"))
    nothing = agent.call("GET", f"/repos/{unknown}")
    stage.why(
        "an answer that differs, even in one byte, would tell that another client has such a repo."
    )
    stage.expect("the repo exists, for Ada", office.ada.call("GET", f"/repos/{foreign}").is_success)
    stage.expect("not for the agent", outcome(answer) == "404 repo-not-found")
    same = comparable(answer, foreign) == comparable(nothing, unknown)
    stage.expect("the answer is that for an unknown id, byte for byte", same)
    workspace = agent.outcome(f"/workspaces/{office.borealis.workspace}/stats")
    stage.expect("the same for the workspace", workspace == "404 workspace-not-found")


def comparable(answer: httpx.Response, id_: str) -> tuple[int, list[tuple[str, str]], str]:
    """An answer without the two values that each request has of its own, and without the time."""
    body = answer.text.replace(answer.headers["X-Request-ID"], "").replace(id_, "")
    own = {"x-request-id", "date"}
    return answer.status_code, [h for h in answer.headers.items() if h[0] not in own], body


def secrets(office: Consultancy, agent: Program) -> None:
    stage = office.stage
    stage.step("The agent tries a secret of its own client, and Ada's account")
    vault = f"/vaults/{office.acme.vault}"
    stage.expect("it can see that the vault exists", agent.outcome(vault) == "200")
    entry = stage.exchange(agent.call("GET", f"{vault}/entries/{KEY}"))
    unlock = agent.call("POST", f"{vault}/unlock", json={"passphrase": PASSPHRASE})
    stage.why(
        "WWW-Authenticate names the scopes that are missing. Even with the passphrase, a token"
        " without `secrets` opens nothing."
    )
    stage.expect("the entry is refused", outcome(entry) == REFUSED)
    stage.expect("unlocking is refused", outcome(unlock) == REFUSED)
    profile = stage.exchange(agent.call("GET", "/user-profiles/me"))
    stage.expect("the profile is refused", outcome(profile) == REFUSED)
    whole = ("/api-tokens", "/machines", f"/user-profiles/{office.ada.id}")
    stage.expect("and all that concerns Ada as a whole", {*map(agent.outcome, whole)} == {REFUSED})


def build_server(office: Consultancy) -> None:
    stage, vault = office.stage, f"/vaults/{office.acme.vault}"
    stage.step("A build server deploys for Acme, and needs one secret")
    scopes, confinement = ("read", "secrets"), [office.acme.workspace]
    build, created = office.issue("ci", *scopes, workspace_ids=confinement)
    stage.exchange(created, "name", "scopes", "workspace_ids")
    answer = build.call("POST", f"{vault}/unlock", json={"passphrase": PASSPHRASE})
    unlocked = answer.raise_for_status().json()
    headers = {"Vault-Session": unlocked["session"]}
    entry = stage.exchange(build.call("GET", f"{vault}/entries/{KEY}", headers=headers))
    stage.expect("the secret is read", entry.json()["content"] == SECRET)
    update = {"json": {"content": "mine"}, "headers": headers}
    refused = build.call("PUT", f"{vault}/entries/{KEY}", **update)
    stage.expect("it cannot be changed without `write`", outcome(refused) == REFUSED)
    other = build.call(
        "POST", f"/vaults/{office.borealis.vault}/unlock", json={"passphrase": PASSPHRASE}
    )
    stage.why("who breaks into the build server of Acme gets one client, not two.")
    unknown = "404 vault-not-found"
    stage.expect("the vault of Borealis does not exist for it", outcome(other) == unknown)


def no_wider_token(office: Consultancy) -> None:
    stage = office.stage
    stage.step("Two tokens try to become more than they are")
    script, _ = office.issue("script", "read", "write")
    wider = {"name": "thief", "scopes": ["read", "write", "secrets"]}
    refused = stage.exchange(script.call("POST", "/api-tokens", json=wider))
    stage.expect("more scopes are refused", outcome(refused) == REFUSED)
    inside = {"workspace_ids": [office.acme.workspace]}
    confined, _ = office.issue("agent that writes", "read", "write", **inside)
    free = {"name": "thief", "scopes": ["read"]}
    refused = stage.exchange(confined.call("POST", "/api-tokens", json=free))
    stage.expect("a confined token creates no token at all", outcome(refused) == REFUSED)
    stage.why("a stolen token stays as small as it was.")


def rotation(office: Consultancy) -> None:
    stage = office.stage
    stage.step("The secret of a token is replaced without an interruption")
    old, created = office.issue("nightly report", "read", workspace_ids=[office.acme.workspace])
    new, answer = rotate(office, created.json()["id"], OVERLAP)
    stage.exchange(answer, "name", "scopes", "workspace_ids", "token")
    stage.expect("the old token still works", old.outcome() == "200")
    stage.expect("so does its successor", new.outcome() == "200")
    rights = ("scopes", "workspace_ids")
    same = all(answer.json()[each] == created.json()[each] for each in rights)
    stage.expect("with the same rights", same)
    stage.why(
        "a program on ten machines gets its new secret on one after the other. An overlap can take"
        f" up to a day; this one takes {OVERLAP} seconds."
    )
    newest, _ = rotate(office, answer.json()["id"], 0)
    stage.expect(
        "without an overlap, the replaced one is refused at once", new.outcome() == REVOKED
    )
    stage.expect("the newest works", newest.outcome() == "200")
    deadline = time.monotonic() + EXPIRED_WITHIN
    while old.outcome() == "200" and time.monotonic() < deadline:
        time.sleep(0.1)
    over = stage.exchange(old.call("GET", "/api-tokens/current"))
    stage.expect("after the overlap, the first is refused", outcome(over) == REVOKED)


def rotate(office: Consultancy, id_: str, overlap: int) -> tuple[Program, httpx.Response]:
    body = {"overlap_seconds": overlap}
    answer = office.ada.call("POST", f"/api-tokens/{id_}/rotate", json=body).raise_for_status()
    return Program(office.http, answer.json()["token"]), answer


def revocation(office: Consultancy, agent: Program) -> None:
    stage = office.stage
    stage.step("The project of the agent ends")
    stage.expect("the agent's token works", agent.outcome() == "200")
    id_ = agent.call("GET", "/api-tokens/current").json()["id"]
    stage.exchange(office.ada.call("DELETE", f"/api-tokens/{id_}").raise_for_status())
    refused = stage.exchange(agent.call("GET", f"/user-profiles/{office.ada.id}/attention"))
    stage.expect("the next request is refused", outcome(refused) == REVOKED)
    stage.why("there is no cache in which a revoked token lives on, in any process.")


def expiry(office: Consultancy) -> None:
    stage, ada = office.stage, office.ada
    stage.step("A token expires next week, and nobody thinks of it")
    soon = (datetime.now(UTC) + timedelta(days=7)).isoformat()
    office.issue("backup", "read", expires_at=soon)
    path = f"/user-profiles/{ada.id}/attention"
    board = stage.exchange(ada.call("GET", path), "kind", "name", "reasons")
    items = [each for each in board.json()["items"] if each["kind"] == "api-token"]
    shown = [(each["name"], each["reasons"]) for each in items]
    stage.expect("the board has it", shown == [("backup", ["token-expiring"])])
    listed = names(ada, "/api-tokens?expiring_within_days=14")
    stage.expect("and the list can be filtered", listed == ["backup"])
    stage.why("a token that expires at night stops a backup that nobody watches.")


def laptop(office: Consultancy) -> None:
    stage, ada = office.stage, office.ada
    stage.step("A laptop gets a token that only reports")
    mine, other = (ada.create("/machines", name=name)["id"] for name in ("laptop", "desktop"))
    machine, created = office.issue("laptop", "report", machine_id=mine)
    stage.exchange(created, "scopes", "machine_id")
    own = stage.exchange(machine.call("GET", f"/machines/{mine}"), "name", "last_report_at")
    refused = stage.exchange(machine.call("GET", f"/machines/{other}"))
    stage.expect("it reads its own machine", own.json()["name"] == "laptop")
    stage.expect("and what it is itself", machine.outcome() == "200")
    stage.expect("no other machine", outcome(refused) == REFUSED)
    stage.expect("whether it exists or not", machine.outcome(f"/machines/{new_id()}") == REFUSED)
    mine_only = ("/machines", f"/repos/{office.acme.repo}", f"/user-profiles/{ada.id}/attention")
    stage.expect("and nothing else", {*map(machine.outcome, mine_only)} == {REFUSED})
    stage.why("a laptop gets lost. Its token tells the name of a machine, and opens nothing.")
    ada.call("DELETE", f"/machines/{mine}").raise_for_status()
    stage.expect("deleting the machine revokes its token", machine.outcome() == REVOKED)


def clean_up(office: Consultancy) -> None:
    stage, ada = office.stage, office.ada
    stage.step("Ada removes what this demo has created")
    tokens, machines = ids(ada, "/api-tokens"), ids(ada, "/machines")
    delete(ada, (f"/api-tokens/{each}" for each in tokens))
    delete(ada, (f"/machines/{each}" for each in machines))
    both = (office.acme.workspace, office.borealis.workspace)
    delete(ada, (f"/workspaces/{each}?force=true" for each in both))
    left = ids(ada, "/api-tokens") + ids(ada, "/machines")
    left += ids(ada, f"/user-profiles/{ada.id}/workspaces")
    stage.expect("nothing is left", left == [])
    delete(ada, [f"/user-profiles/{ada.id}"])
    stage.expect("nor her account", outcome(ada.call("GET", "/user-profiles/me")) == REVOKED)


def ids(user: User, path: str) -> list[str]:
    return [each["id"] for each in user.call("GET", path).raise_for_status().json()["items"]]


def delete(user: User, paths: Iterable[str]) -> None:
    for path in paths:
        user.call("DELETE", path).raise_for_status()


if __name__ == "__main__":
    perform(story)
