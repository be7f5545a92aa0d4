"""What the documents say is so: their commands, tables, links and examples."""

import asyncio
import json
import os
import re
from asyncio.subprocess import PIPE, STDOUT
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from prometheus_client.parser import text_string_to_metric_families

from symphony.api.problems.catalogue import PROBLEMS
from symphony.config.settings import PREFIX, Settings
from symphony.infrastructure.database.models import Model
from symphony.infrastructure.metrics import Metrics
from symphony.main import create_app
from tests.support.api import sign_up
from tests.support.git_repository import Repository
from tests.support.openapi import operations
from tests.support.server import Server, running_server

TOP = Path(__file__).parents[1]
README = (TOP / "README.md").read_text("utf-8")
API_GUIDE = (TOP / "docs" / "api.md").read_text("utf-8")
FIRST_GUIDE = (TOP / "docs" / "getting-started.md").read_text("utf-8")
VAULT_GUIDE = (TOP / "docs" / "vaults.md").read_text("utf-8")
PRODUCTION_GUIDE = (TOP / "docs" / "production.md").read_text("utf-8")
DOCUMENTS = sorted([*TOP.glob("*.md"), *(TOP / "docs").rglob("*.md")])
SESSION_WITHIN = 60  # seconds
NOUNS = ("user_profiles", "workspaces", "repos", "vaults", "api_tokens")

Operation = tuple[str, str]


def blocks(markdown: str, language: str = "bash") -> list[str]:
    """What stands in the fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", markdown, re.MULTILINE | re.DOTALL)


def rows(markdown: str, first_cell: str) -> list[list[str]]:
    """The cells of the rows of all tables whose first cell looks like this."""
    lines = [line.strip("|").split("|") for line in markdown.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line] for line in lines]
    return [row for row in cells if re.fullmatch(first_cell, row[0])]


async def run(script: str, server: Server, folder: Path) -> str:
    """What a script prints when bash runs it, any failure in it being one of the whole."""
    process = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", script,
        cwd=folder, env={**os.environ, "SYMPHONY": server.address},
        stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(SESSION_WITHIN):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, output.decode()
    return output.decode()


@pytest.mark.parametrize("recipe", ["run", "test"])
def test_the_readme_has_one_line_to_paste_for_each_of_its_two_commands(recipe: str) -> None:
    ending = f" just {recipe}"
    lines = [block for block in blocks(README) if block.rstrip().endswith(ending)]
    assert len(lines) == 1
    assert lines[0].count("\n") == 1
    assert lines[0].startswith("python3 -m venv .tools && ")
    # A clean machine's preparation takes the first line that ends so, wherever it stands.
    assert [line + "\n" for line in README.splitlines() if line.endswith(ending)] == lines


def test_the_readme_lists_every_setting_with_its_default() -> None:
    listed = {row[0].strip("`"): row[1] for row in rows(README, f"`{PREFIX}[A-Z_]+`")}
    assert listed == {
        PREFIX + name.upper(): in_words(field.get_default())
        for name, field in Settings.model_fields.items()
        if field.default_factory is None
    } | {f"{PREFIX}DATA_DIR": "the user's data folder"}


def in_words(default: Any) -> str:
    """A default as the settings table has it."""
    if default is None or default == ():
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


async def test_the_first_session_of_the_readme_works_and_outlives_a_restart(
    tmp_path: Path,
) -> None:
    session, after_restart, _ = [block for block in blocks(README) if "api GET" in block]
    keep, kept = "\nexport -p > kept; declare -f > functions", ". ./kept; . ./functions\n"
    data = tmp_path / "data"
    async with running_server(data) as server:
        first = await run(f"set -a\n{session}{keep}", server, tmp_path)
        await server.stop()
    assert first.count('"code":"vault-locked"') == first.count('"code":') == 1
    async with running_server(data) as server:
        address = f"SYMPHONY={server.address}\n"  # the port is another one than before
        second = await run(kept + address + after_restart, server, tmp_path)
    last_lists = first.splitlines()[-2:]
    assert '"name":"engine"' in last_lists[0]
    assert '"metadata":{"colour":"green"}' in last_lists[1]
    assert second.splitlines() == last_lists


async def test_the_readme_finds_what_is_in_a_persons_own_folder_and_needs_attention(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, _, own_folder = [block for block in blocks(README) if "api GET" in block]
    monkeypatch.setenv("HOME", str(tmp_path))
    dev = tmp_path / "dev"
    Repository.created(dev / "engine").commit()
    async with running_server(tmp_path / "data", "--git-root", str(dev)) as server:
        output = await run(session + own_folder, server, tmp_path)
    found, imported, board, status = map(json.loads, output.splitlines()[-4:])
    assert [(each["name"], each["registered"]) for each in found["items"]] == [("engine", True)]
    assert [each["name"] for each in imported["items"]] == ["loom", "mill"]
    needed = {each["name"]: each["reasons"] for each in board["items"]}
    assert needed.pop("loom") == needed.pop("mill") == ["missing"]
    assert needed == {"engine": ["no-remote"], "keys": ["unlocked"]}
    assert (status["state"], status["branch"]) == ("clean", "main")


async def test_the_examples_of_the_api_guide_work(tmp_path: Path) -> None:
    async with running_server(tmp_path / "data") as server:
        output = await run("\n".join(blocks(API_GUIDE)), server, tmp_path)
    assert re.findall(r'"code":"([a-z-]+)"', output) == ["vault-locked", "precondition-failed"]
    assert '"settings":{"editor":{"tabs":4,"wrap":true}}' in output
    repos = re.findall(r'"name":"(\w+)","path":"~/dev/', output)
    assert repos == ["strings", "brass", "winds", "brass", "strings", "winds"] + ["percussion"] * 2


async def test_what_getting_started_types_tells_the_state_of_each_repository_of_a_folder(
    tmp_path: Path,
) -> None:
    dev = tmp_path / "dev"
    (dev / "not-a-repository").mkdir(parents=True)
    Repository.created(dev / "engine").commit()
    Repository.created(dev / "with space").write("new")
    *before, registering, looking, asking, keeping = blocks(FIRST_GUIDE)
    script = "\n".join([f"FOLDER={dev}", *before, registering, looking, asking, keeping])
    async with running_server(tmp_path / "data", "--git-root", str(dev)) as server:
        typed = (await run(script, server, tmp_path)).splitlines()
    last_list, last_stats, *states, kept, content, is_locked = typed[-9:]
    listed = json.loads(last_list)["items"]
    assert [each["name"] for each in listed] == ["engine", "with space"]
    assert [each["path"] for each in listed] == [str(dev / each["name"]) for each in listed]
    assert json.loads(last_stats)["repo_count"] == 2
    assert states == [
        *("engine: clean", "with space: dirty"),
        *("engine no-remote", "with space dirty no-remote"),
    ]
    assert json.loads(kept)["key"] == "mail/password"
    assert (content, is_locked) == ("not hunter2", "True")


async def test_what_the_vault_guide_types_keeps_a_secret_and_locks_it_away(tmp_path: Path) -> None:
    async with running_server(tmp_path / "data") as server:
        output = await run("\n".join(blocks(VAULT_GUIDE)), server, tmp_path)
    told = [json.loads(line) for line in output.splitlines() if line]
    refused = [each["code"] for each in told if "code" in each]
    assert refused == ["vault-locked", "wrong-passphrase"]
    first, second = (f"postgresql://acme@db.example.org/{name}" for name in ("acme", "new"))
    contents = [(each["version"], each["content"]) for each in told if "content" in each]
    assert contents == [(2, second), (1, first), (3, first)]
    assert "passphrase" not in {field for each in told for field in each}


def test_the_vault_guide_says_on_its_first_screen_that_no_passphrase_can_be_recovered() -> None:
    screen = "\n".join(VAULT_GUIDE.splitlines()[:10])
    assert "**A passphrase that is forgotten cannot be recovered" in screen


def test_the_vault_guide_names_every_sealed_column() -> None:
    named = {row[1].strip("`") for row in rows(VAULT_GUIDE, ".+") if "." in row[1]}
    tables = Model.metadata.tables.items()
    sealed = {
        f"{name}.{column.name}"
        for name, table in tables
        if name.startswith("vault_")
        for column in table.columns
        if column.name in {"wrapped", "sealed", "facts", "content"}
    }
    assert {each for each in named if re.fullmatch(r"vault_\w+\.\w+", each)} == sealed


async def test_what_the_production_guide_types_works_and_its_backup_can_be_gone_back_to(
    tmp_path: Path,
) -> None:
    data, backup, script = tmp_path / "data", tmp_path / "backup", blocks(PRODUCTION_GUIDE)
    async with running_server(data) as server, server.client() as client:
        ada = await sign_up(client, "ada")
        kept = await ada.workspace("Kept")
        folders = f"export SYMPHONY_DATA_DIR={data} BACKUP={backup}\n"
        output = await run(folders + "\n".join(script), server, tmp_path)
        await ada.workspace("Later")
    assert re.search(r"^symphony_\w+", output, re.MULTILINE)
    assert {file.name for file in backup.iterdir()} == {
        f"symphony.sqlite3{ending}" for ending in ("", ".key", ".master-key")
    }
    async with running_server(backup) as server, server.client() as client:
        listed = await replace(ada, client=client).get(f"/user-profiles/{ada.id}/workspaces")
        assert listed.json()["items"] == [kept]


def test_the_production_guide_lists_every_metric_with_its_labels() -> None:
    listed = {
        row[0].strip("`"): set(re.findall("`(.+?)`", row[1]))
        for row in rows(PRODUCTION_GUIDE, "`symphony_[a-z_]+`")
    }
    metrics = Metrics()
    metrics.request("GET", "/", 200, 0.1)
    metrics.command("make", "done")
    families = text_string_to_metric_families(metrics.text().decode())
    assert listed == {
        f"{family.name}_total" if family.type == "counter" else family.name: {
            label for sample in family.samples for label in sample.labels if label != "le"
        }
        for family in families
        if not family.name.endswith("_created")
    }


def test_the_api_guide_lists_every_problem_with_its_status() -> None:
    listed = [(row[1].strip("`"), int(row[0])) for row in rows(API_GUIDE, r"\d{3}")]
    assert len(listed) == len(dict(listed))
    assert dict(listed) == {code: kind.status for code, kind in PROBLEMS.items()}


def test_the_api_guide_names_only_problems_that_there_are_with_their_status() -> None:
    named = re.findall(r"\b([45]\d\d) ((?:`[a-z-]+`(?:, )?)+)", API_GUIDE)
    for status, codes in named:
        for code in re.findall("`([a-z-]+)`", codes):
            assert PROBLEMS[code].status == int(status), code
    assert len(named) > 30


def test_the_api_guide_names_only_codes_of_single_fields_that_there_are() -> None:
    section = API_GUIDE.partition("### What is wrong, exactly")[2].partition("###")[0]
    source = "".join(file.read_text("utf-8") for file in (TOP / "src").rglob("*.py"))
    codes = {code for row in rows(section, r"[a-z ]+") for code in re.findall("`(.+?)`", row[1])}
    assert len(codes) > 30
    assert {code for code in codes if f'"{code}"' not in source} == set()


def test_the_api_guide_has_every_operation_and_none_that_does_not_exist(tmp_path: Path) -> None:
    app = create_app(Settings.model_validate({"data_dir": tmp_path}))
    existing = {
        (method, without_names(context.path))
        for context in iter_route_contexts(app.routes)
        if context.path is not None
        for method in context.methods or ()
    }
    described = {
        (method.upper(), without_names(path))
        for path, operations in app.openapi()["paths"].items()
        for method in operations
    }
    named: set[Operation] = {
        (method, without_names(path))
        for method, path in re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`\s?]*)`", API_GUIDE)
    }
    assert described - named == set()
    assert named - existing == set()


def test_the_api_guide_tells_the_errors_that_each_operation_has_of_its_own() -> None:
    of_all = {"payload-too-large", "validation-error", "internal-error", "service-unavailable"}
    of_many = {"unauthenticated", "insufficient-scope"}  # what needs a token
    of_many |= {"malformed-request", "unsupported-media-type"}  # what takes a body
    of_entries = {"vault-not-found", "vault-damaged", "vault-locked", "master-key-missing"}
    told = {
        tuple(without_names(row[0]).strip("`").split()): set(re.findall("`([a-z-]+)`", row[2]))
        for row in rows(API_GUIDE, "`[A-Z]+ /api/v1/.*`")
        if len(row) == 3
    }
    for operation in operations().values():
        if operation.path.startswith("/api/"):
            own = {code for status in operation.answers for code in operation.codes(status)}
            if operation.described["tags"] == ["vault entries"]:
                own -= of_entries
            expected = told[operation.method, without_names(operation.path)]
            assert own - of_all - of_many == expected - of_many, operation.id


def without_names(path: str) -> str:
    """A route's template with all parameters called alike."""
    return re.sub(r"\{[^}]+\}", "{}", path)


def test_the_architecture_names_only_modules_that_there_are() -> None:
    named = re.findall(r"[\w/]+\.py\b", (TOP / "architecture.md").read_text("utf-8"))
    folders = [TOP / "src", TOP / "scripts", TOP / "tests"]
    existing = [f"/{file.relative_to(TOP)}" for each in folders for file in each.rglob("*.py")]
    assert len(named) > 40
    assert [name for name in named if not any(each.endswith(f"/{name}") for each in existing)] == []


def test_the_architecture_names_every_module_in_its_folder() -> None:
    _, tree = (TOP / "architecture.md").read_text("utf-8").split("```\nsrc/symphony/\n", 1)
    told, folders = set[str](), dict[int, str]()
    for line in tree.partition("\nalembic/")[0].splitlines():
        depth = len(line) - len(line.lstrip())
        for name in re.findall(r"([\w<>]+(?:/|\.py))", line):
            inside = "".join(folders[each] for each in sorted(folders) if each < depth)
            if name.endswith("/"):
                folders = {each: folders[each] for each in folders if each < depth} | {depth: name}
            told.update(f"{inside}{each}" for each in nouns(name))
    modules = (TOP / "src" / "symphony").rglob("*.py")
    there_are = {file.relative_to(TOP / "src" / "symphony").as_posix() for file in modules}
    assert {each for each in there_are - told if not each.endswith("__init__.py")} == set()


def nouns(name: str) -> list[str]:
    """The files that a name in the map stands for."""
    if name != "<noun>.py":
        return [name]
    return [f"{each}.py" for each in NOUNS]


def test_the_readme_and_the_notes_name_only_recipes_that_there_are() -> None:
    recipes = re.findall(r"^([a-z-]+)\b[^:\n]*:(?!=)", (TOP / "justfile").read_text(), re.MULTILINE)
    notes = README + (TOP / "CLAUDE.md").read_text("utf-8")
    named = set(re.findall(r"(?:`|uv run )just ([a-z-]+)", notes))
    assert len(named) > 4
    assert named - set(recipes) == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.name)
def test_every_link_in_a_document_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text("utf-8")):
        if target.startswith("https://"):
            continue
        file, _, heading = target.partition("#")
        linked = (document.parent / file).resolve() if file else document
        assert linked.exists(), target
        assert not heading or heading in anchors(linked), target


def anchors(document: Path) -> set[str]:
    """What a document's headings are called in links to them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each).strip().lower().replace(" ", "-") for each in headings}
