"""The documents, the schema, the metrics and the logs: how people meet the service, and see it."""

import re
from pathlib import Path
from typing import Any

import httpx
from caller import API, User, problem, seen
from caller import sign_up as signed_up
from prometheus_client.parser import text_string_to_metric_families
from real_server import Server, running_server
from stage import Stage, perform

GUIDES = Path(__file__).parents[2] / "docs"
ROUTE = f"{API}/workspaces/{{workspace_id}}"


def story(stage: Stage) -> None:
    with running_server() as server:
        # Not by way of a proxy that the environment may name.
        with httpx.Client(base_url=server.address, timeout=30, trust_env=False) as client:
            front_page(stage, client)
            docs_page(stage, client)
            problem_page(stage, client)
            schema(stage, client)
            ada = signed_up(client, "ada")
            metrics(stage, client, ada)
            log(stage, server, ada)
        guides(stage)


def front_page(stage: Stage, client: httpx.Client) -> None:
    stage.step("The front door: JSON for programs, a page for people")
    links = client.get("/").json()["links"]
    stage.show("link", "leads to", rows=links.items())
    page = client.get("/", headers={"Accept": "text/html"})
    stage.expect("a browser gets a page", page.headers["content-type"].startswith("text/html"))
    stage.expect("which leads to the docs", 'href="/docs"' in page.text)


def docs_page(stage: Stage, client: httpx.Client) -> None:
    stage.step("The documentation needs no other server")
    page = client.get("/docs")
    assets = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    answers = [client.get(asset) for asset in assets]
    stage.show(
        "asset",
        "status",
        "bytes",
        rows=[
            (asset, answer.status_code, len(answer.content))
            for asset, answer in zip(assets, answers, strict=True)
        ],
    )
    stage.expect("all assets are this server's", {each[:5] for each in assets} == {"/docs"})
    stage.expect("and there", all(answer.status_code == 200 for answer in answers))
    policy = page.headers["content-security-policy"]
    stage.expect("the browser may load from nowhere else", "default-src 'none'" in policy)


def problem_page(stage: Stage, client: httpx.Client) -> None:
    stage.step("Every problem's type is an address, and a page that says what to do")
    refused = client.get(f"{API}/user-profiles/me")
    stage.expect("a refusal", problem(refused) == "401 unauthenticated", seen(refused))
    page = client.get(refused.json()["type"])
    remedy = re.sub(r"<[^>]+>", "", page.text.partition("<h2>What to do</h2>")[2]).strip()
    stage.expect("its page", page.status_code == 200 and remedy, remedy.partition("\n")[0])


def schema(stage: Stage, client: httpx.Client) -> None:
    stage.step("The schema tells generators of clients all they need")
    document = client.get(f"{API}/openapi.json").json()
    operations: list[dict[str, Any]] = [
        operation for methods in document["paths"].values() for operation in methods.values()
    ]
    ids = [operation["operationId"] for operation in operations]
    stage.show(
        "operation",
        "summary",
        "answers",
        rows=[
            (each["operationId"], each["summary"], " ".join(each["responses"]))
            for each in operations[:6]
        ],
    )
    stage.expect(f"{len(ids)} operations, each with a name of its own", len(set(ids)) == len(ids))
    stage.expect(
        "each is summed up and explained",
        all(each["summary"] and each["description"] for each in operations),
    )
    bodies = [each["requestBody"]["content"] for each in operations if "requestBody" in each]
    shown = [content for body in bodies for content in body.values()]
    stage.expect("each body has an example", all("example" in content for content in shown))
    errors = [
        answer["content"]["application/problem+json"]["schema"]
        for each in operations
        for status, answer in each["responses"].items()
        if status >= "400" and "application/problem+json" in answer.get("content", {})
    ]
    refers = {error.get("$ref") for error in errors}
    stage.expect("all errors are one named schema", refers == {"#/components/schemas/Problem"})


def metrics(stage: Stage, client: httpx.Client, ada: User) -> None:
    stage.step("/metrics counts requests by route, and commands by how they ended")
    before = counted(client)
    thesis = ada.make(f"/user-profiles/{ada.id}/workspaces", name="Thesis")
    ada.call("POST", f"/user-profiles/{ada.id}/workspaces", json={"name": "THESIS"})
    for _ in range(3):
        ada.call("GET", f"/workspaces/{thesis['id']}")
    after = counted(client)
    grown = {name: after[name] - before.get(name, 0) for name in after}
    new = {name: int(more) for name, more in grown.items() if more and "workspace" in name}
    stage.show("counted", "more", rows=new.items())
    requests = f"symphony_http_request_duration_seconds_count GET {ROUTE} 200"
    stage.expect("three readings", new[requests] == 3)
    stage.expect("a creation", new["symphony_commands_total CreateWorkspace done"] == 1)
    refused = "symphony_commands_total CreateWorkspace workspace-name-taken"
    stage.expect("and one refused", new[refused] == 1)


def counted(client: httpx.Client) -> dict[str, float]:
    """What /metrics counts, by its name and labels."""
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(client.get("/metrics").text)
        for sample in family.samples
        if sample.name.endswith(("_count", "_total"))
    }


def log(stage: Stage, server: Server, ada: User) -> None:
    stage.step("The log has a line for each request, and nothing of what was sent")
    answer = ada.call("GET", "/workspaces/0?canary=1", headers={"X-Request-ID": "demo-1"})
    stage.expect("a request that goes wrong", problem(answer) == "422 validation-error")
    line = server.log_line("demo-1")
    stage.expect("its line", ROUTE in line and ada.id in line, line)
    stage.expect("without path and query", "canary" not in line and "workspaces/0" not in line)


def guides(stage: Stage) -> None:
    stage.step("The guides, whose commands are tested")
    titles = {file.name: file.read_text("utf-8").splitlines()[0] for file in GUIDES.glob("*.md")}
    stage.show(
        "docs/", "", rows=sorted((name, title.strip("# ")) for name, title in titles.items())
    )
    needed = {"getting-started.md", "api.md", "vaults.md", "production.md", "performance.md"}
    stage.expect("for newcomers, for clients, for operators", needed == set(titles))


if __name__ == "__main__":
    perform(story)
