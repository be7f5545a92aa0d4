"""Documentation, schema, metrics and logs: how developers and operators meet the service."""

import re
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from scripts.demos.support.demo_server import Server, running_server
from scripts.demos.support.stage import Stage, perform
from scripts.demos.support.user import API, User, outcome, sign_up

GUIDES = Path(__file__).parents[2] / "docs"
NEEDED = {"getting-started.md", "api.md", "vaults.md", "production.md", "performance.md"}
REQUESTS, COMMANDS = "symphony_http_request_duration_seconds_count", "symphony_commands_total"
COUNTERS = {REQUESTS: "requests", COMMANDS: "commands"}
ROUTE = f"{API}/workspaces/{{workspace_id}}"


def story(stage: Stage) -> None:
    with running_server() as server, server.client() as client:
        start_page(stage, client)
        docs_page(stage, client)
        problem_page(stage, client)
        schema(stage, client)
        ada = sign_up(client, "ada")
        metrics(stage, client, ada)
        log(stage, server, ada)
    guides(stage)


def start_page(stage: Stage, client: httpx.Client) -> None:
    stage.step("The start page: JSON for programs, HTML for a browser")
    stage.exchange(client.get("/"))
    page = stage.exchange(client.get("/", headers={"Accept": "text/html"}))
    stage.why("a person who has nothing but the address finds the documentation.")
    kind = page.headers["content-type"]
    stage.expect("a browser gets a page", kind.startswith("text/html"))
    stage.expect("the page links to the documentation", 'href="/docs"' in page.text)


def docs_page(stage: Stage, client: httpx.Client) -> None:
    stage.step("The interactive documentation works without the internet")
    page = stage.exchange(client.get("/docs"))
    assets = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    answers = [client.get(asset) for asset in assets]
    stage.table(
        *("asset", "status", "bytes"),
        rows=[
            (asset, answer.status_code, f"{len(answer.content):,}")
            for asset, answer in zip(assets, answers, strict=True)
        ],
    )
    stage.why(
        "on a train or behind a firewall the page looks the same, and no other server learns of it."
    )
    stage.expect("all assets are on this server", {each[:5] for each in assets} == {"/docs"})
    stage.expect("all can be loaded", all(answer.status_code == 200 for answer in answers))
    policy = page.headers["content-security-policy"]
    stage.expect("the browser may load from nowhere else", "default-src 'none'" in policy)


def problem_page(stage: Stage, client: httpx.Client) -> None:
    stage.step("The type of a problem is a page that says what to do")
    refused = stage.exchange(client.get(f"{API}/user-profiles/me"), "type", "code", "detail")
    page = stage.exchange(client.get(refused.json()["type"], headers={"Accept": "text/html"}))
    text = [line.strip() for line in re.sub(r"<[^>]+>", "\n", page.text).splitlines()]
    stage.say(" ".join(filter(None, text)))
    stage.why("an error message leads to its explanation, on the server that sent it.")
    stage.expect("the request is refused", outcome(refused) == "401 unauthenticated")
    stage.expect("the page has advice", page.status_code == 200 and "What to do" in page.text)


def schema(stage: Stage, client: httpx.Client) -> None:
    stage.step("The OpenAPI document: everything a client generator needs")
    answer = client.get(f"{API}/openapi.json")
    stage.exchange(answer, "openapi", "info")
    document = answer.json()
    operations: list[dict[str, Any]] = [
        operation for methods in document["paths"].values() for operation in methods.values()
    ]
    ids = [operation["operationId"] for operation in operations]
    stage.table(
        *("operation", "summary", "answers"),
        rows=[
            (each["operationId"], each["summary"], " ".join(each["responses"]))
            for each in operations[:6]
        ],
    )
    stage.why(
        "clients in Python, Go, TypeScript or Java are generated, not written; `just sdk`"
        " proves it."
    )
    stage.expect(f"{len(ids)} operations have different ids", len(set(ids)) == len(ids))
    stage.expect(
        "each has a summary and a description",
        all(each["summary"] and each["description"] for each in operations),
    )
    bodies = [each["requestBody"]["content"] for each in operations if "requestBody" in each]
    contents = [content for body in bodies for content in body.values()]
    stage.expect("each body has an example", all("example" in each for each in contents))
    errors = [
        answer["content"]["application/problem+json"]["schema"]
        for each in operations
        for status, answer in each["responses"].items()
        if status >= "400" and "application/problem+json" in answer.get("content", {})
    ]
    schemas = {error.get("$ref") for error in errors}
    stage.expect("all errors have the same schema", schemas == {"#/components/schemas/Problem"})


def metrics(stage: Stage, client: httpx.Client, ada: User) -> None:
    stage.step("Metrics: what an operator alerts on")
    before = counters(client)
    workspaces = f"/user-profiles/{ada.id}/workspaces"
    thesis = ada.create(workspaces, name="Thesis")
    ada.call("POST", workspaces, json={"name": "THESIS"})
    for _ in range(3):
        ada.call("GET", f"/workspaces/{thesis['id']}")
    stage.exchange(client.get("/metrics"))
    after = counters(client)
    increases = {name: int(after[name] - before.get(name, 0)) for name in after}
    new = {name: more for name, more in increases.items() if more and "workspace" in name.lower()}
    stage.say("After one creation, one refused creation and three reads:")
    stage.table(
        *("counter", "labels", "increase"),
        rows=[
            (COUNTERS[name.split(" ")[0]], name.partition(" ")[2], more)
            for name, more in new.items()
        ],
    )
    stage.why(
        "requests are counted by route and status, commands by their result: a rise of"
        " refusals or retries is seen before users complain."
    )
    stage.expect("three reads are counted", new[f"{REQUESTS} GET {ROUTE} 200"] == 3)
    commands = {
        name.rpartition(" ")[2]: more for name, more in new.items() if name.startswith(COMMANDS)
    }
    stage.expect("a successful creation is counted", commands["done"] == 1)
    stage.expect("and a refused one", commands["workspace-name-taken"] == 1)


def counters(client: httpx.Client) -> dict[str, float]:
    """The counters of /metrics, by name and values of labels."""
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(client.get("/metrics").text)
        for sample in family.samples
        if sample.name.endswith(("_count", "_total"))
    }


def log(stage: Stage, server: Server, ada: User) -> None:
    stage.step("The log: one line per request, and nothing of what was sent")
    request_id = {"X-Request-ID": "demo-1"}
    answer = stage.exchange(ada.call("GET", "/workspaces/0?canary=1", headers=request_id))
    line = server.log_line("demo-1")
    stage.say("The line in the log:")
    stage.say(line)
    stage.why(
        "the id of the request is in the answer and in the log, so a complaint leads to its"
        " line. Paths and queries, which may hold secrets, are not logged."
    )
    stage.expect("the request is refused", outcome(answer) == "422 validation-error")
    stage.expect("the line names the route and the user", ROUTE in line and ada.id in line)
    stage.expect("but neither path nor query", "canary" not in line and "workspaces/0" not in line)


def guides(stage: Stage) -> None:
    stage.step("The guides, whose commands are run by the tests")
    titles = {file.name: file.read_text("utf-8").splitlines()[0] for file in GUIDES.glob("*.md")}
    stage.table(
        "docs/", "title", rows=sorted((name, title.strip("# ")) for name, title in titles.items())
    )
    stage.expect("there are guides for users and for operators", set(titles) >= NEEDED)


if __name__ == "__main__":
    perform(story)
