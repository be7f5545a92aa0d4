"""Documentation, schema, metrics and logs: how developers and operators meet the service."""

import json
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
CODINGS = ("gzip", "zstd")
ROUTE = f"{API}/workspaces/{{workspace_id}}"


def story(stage: Stage) -> None:
    with running_server("--log-format", "json") as server, server.client() as client:
        start_page(stage, client)
        docs_page(stage, client)
        reading_pages(stage, client)
        problem_page(stage, client)
        schema(stage, client)
        ada = sign_up(client, "ada")
        compression(stage, client, ada)
        metrics(stage, client, ada)
        log(stage, server, ada)
    below_a_path(stage)
    guides(stage)


def start_page(stage: Stage, client: httpx.Client) -> None:
    stage.step("The address: links for programs, an application for a browser")
    links = stage.exchange(client.get("/"), "links").json()["links"]
    page = stage.exchange(client.get("/", headers={"Accept": "text/html"}))
    stage.why("a person who has nothing but the address can begin, and a program finds its way.")
    kind = page.headers["content-type"]
    stage.expect("a browser gets a page", kind.startswith("text/html"))
    assets = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    stage.expect("it has scripts and styles", len(assets) > 1)
    stage.expect("they are on this server", not any("//" in each for each in assets))
    stage.expect("and can be loaded", all(client.get(each).is_success for each in assets))
    stage.expect("a program finds the documentation", client.get(links["docs"]).is_success)


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


def reading_pages(stage: Stage, client: httpx.Client) -> None:
    stage.step("Pages to read: a reference with a search, the guides, all problems")
    browser = {"Accept": "text/html"}
    links = re.findall(
        r'<a href="(/[^"]+)">([^<]+)</a>', client.get("/guides", headers=browser).text
    )
    pages = {path: client.get(path, headers=browser) for path, _ in links}
    stage.table(
        *("page", "title", "status"),
        rows=[(path, title, pages[path].status_code) for path, title in links],
    )
    stage.why("a reader finds everything on one page, without the source code.")
    stage.expect("every link leads somewhere", all(page.is_success for page in pages.values()))
    listed = {path.removeprefix("/guides/") for path in pages}
    stage.expect("the guides are there", listed >= {name.removesuffix(".md") for name in NEEDED})
    scripts = re.findall(r'src="([^"]+)"', pages["/redoc"].text)
    stage.expect(
        "the reference loads its scripts from this server",
        "/docs/assets/redoc.standalone.js" in scripts
        and all(client.get(each).is_success for each in scripts),
    )
    stage.expect(
        "each problem has a link to its page",
        'href="/problems/validation-error"' in pages["/problems"].text,
    )


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


def compression(stage: Stage, client: httpx.Client, ada: User) -> None:
    stage.step("Compression: less to transfer, and ETags that still work")
    workspace = ada.create_workspace("Large")
    items = [
        {
            "name": f"engine-{number}",
            "path": f"~/dev/engine-{number}",
            "remote_url": f"https://git.example.org/ada/engine-{number}.git",
        }
        for number in range(100)
    ]
    ada.create(f"/workspaces/{workspace}/repos/import", items=items)
    list_path = f"{API}/workspaces/{workspace}/repos?limit=100"
    sizes: dict[str, dict[str, int]] = {}
    for path in (list_path, f"{API}/openapi.json", "/docs/assets/swagger-ui-bundle.js"):
        name = path.partition("?")[0].rpartition("/")[2]
        sizes[name] = {
            coding: transferred(client, path, coding, ada)
            for coding in ("identity", "gzip", "zstd")
        }
    stage.table(
        *("answer", "bytes", "gzip", "zstd"),
        rows=[(name, *(f"{each:,}" for each in by.values())) for name, by in sizes.items()],
    )
    stage.why("over a slow line, a list of 100 repos arrives in a tenth of the time.")
    stage.expect(
        "each answer is a fraction of itself",
        all(
            by[coding] < by["identity"] / 3 for by in sizes.values() for coding in ("gzip", "zstd")
        ),
    )
    stage.expect("zstd is the smallest", all(by["zstd"] < by["gzip"] for by in sizes.values()))

    text = {"description": "Notes and proofs. " * 100}
    large = ada.create(f"/user-profiles/{ada.id}/workspaces", name="Notes", **text)
    path = f"/workspaces/{large['id']}"
    answer = stage.exchange(ada.call("GET", path), "id", "version")
    etag = answer.headers["etag"]
    changed = stage.exchange(
        ada.call("PATCH", path, json={"workspace_type": "research"}, headers={"If-Match": etag}),
        *("version", "workspace_type"),
    )
    etag = changed.headers["etag"]
    same = stage.exchange(ada.call("GET", path, headers={"If-None-Match": etag}))
    stage.why("other bytes need another ETag, and the client need not know of it.")
    stage.expect("the answer is compressed", answer.headers.get("content-encoding") == "gzip")
    stage.expect("its ETag permits the change", changed.status_code == 200)
    stage.expect("and the next one finds nothing new", same.status_code == 304)

    vault = ada.create(f"/workspaces/{workspace}/vaults", name="keys", path="~/keys")
    entry = f"/vaults/{vault['id']}/entries/db"
    ada.call("PUT", entry, json={"content": "postgresql://acme@db.example.org/acme " * 50})
    secret = stage.exchange(ada.call("GET", entry), "key", "size")
    stage.why("the size of a compressed answer can reveal a secret in it (the BREACH attack).")
    stage.expect("a secret is never compressed", "content-encoding" not in secret.headers)


def transferred(client: httpx.Client, path: str, coding: str, user: User) -> int:
    """The number of bytes of an answer with a coding."""
    headers = {"Accept-Encoding": coding, "Authorization": f"Bearer {user.token}"}
    with client.stream("GET", path, headers=headers) as answer:
        return sum(map(len, answer.iter_raw()))


def below_a_path(stage: Stage) -> None:
    stage.step("Below a path of a proxy: https://example.org/symphony/")
    with running_server("--root-path", "/symphony") as server, server.client() as client:
        for prefix in ("", "/symphony"):  # a proxy that removes the path, and one that keeps it
            page = client.get(f"{prefix}/docs")
            links = re.findall(r'(?:src|href|data-openapi)="([^"]+)"', page.text)
            problem = stage.exchange(client.get(f"{prefix}{API}/nothing"), "type", "instance")
            stage.expect(
                "all links of the page lead below the path",
                all(link.startswith("/symphony/") for link in links),
            )
            stage.expect("and exist", all(client.get(link).is_success for link in links))
            stage.expect("the problem too", client.get(problem.json()["type"]).is_success)
        ada = sign_up(client, "ada")
        created = stage.exchange(
            ada.call("POST", f"/user-profiles/{ada.id}/workspaces", json={"name": "Thesis"}), "id"
        )
        stage.why("one name and one certificate serve several programs.")
        location = created.headers["location"]
        stage.expect("Location leads below the path", location.startswith("/symphony/api/v1/"))
        servers = client.get(f"{API}/openapi.json").json()["servers"]
        stage.expect("so does the OpenAPI document", servers[0]["url"] == "/symphony")


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
    stage.say("The line in the log, with `--log-format json`:")
    stage.json(json.loads(line))
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
