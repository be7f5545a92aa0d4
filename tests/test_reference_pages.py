"""The pages about settings, answers, the architecture and the recipes agree with the code."""

import re
from typing import Any

import pytest

from symphony.config.settings import PREFIX, Settings
from symphony.domain.git.disposal import EvidenceKind, Verdict
from symphony.domain.git.reasons import AttentionReason
from symphony.domain.git.status import RepoState
from symphony.domain.git.work import Integration
from symphony.infrastructure.database.migrations import head_revision
from symphony.infrastructure.database.postgresql.parameters import PARAMETERS
from tests.support.checkout import TOP
from tests.support.documents import rows

API = (TOP / "docs" / "api.md").read_text("utf-8")
CONFIGURATION = (TOP / "docs" / "configuration.md").read_text("utf-8")
ARCHITECTURE = (TOP / "architecture.md").read_text("utf-8")


def test_the_configuration_lists_every_setting_with_its_default() -> None:
    listed = {row[0].strip("`"): row[1] for row in rows(CONFIGURATION, f"`{PREFIX}[A-Z_]+`")}
    assert listed == {
        PREFIX + name.upper(): in_words(field.get_default())
        for name, field in Settings.model_fields.items()
        if field.default_factory is None
    } | {
        f"{PREFIX}DATA_DIR": "the user's data folder",
        f"{PREFIX}REGISTRATION": "`first` with git roots, else `open`",
    }


def test_the_configuration_lists_every_parameter_of_a_postgresql_url() -> None:
    listed = [
        name
        for row in rows(
            CONFIGURATION.partition("### PostgreSQL URLs")[2].partition("\n## ")[0], "`.*`"
        )
        for name in re.findall(r"`(\w+)`", row[0])
    ]
    assert sorted(listed) == sorted(PARAMETERS)


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("#### Status of a repo", [*RepoState, *Integration]),
        ("#### Disposal of a repo", [*Verdict, *EvidenceKind]),
        ("### What needs attention", [*AttentionReason]),
    ],
)
def test_the_guide_says_what_each_word_of_an_answer_means(heading: str, words: list[str]) -> None:
    section = re.split(r"^#{2,4} ", API.partition(f"{heading}\n")[2], flags=re.MULTILINE)[0]
    listed = [
        word
        for row in rows(section, r"`[a-z-]+`(?:, `[a-z-]+`)*")
        for word in re.findall(r"`([a-z-]+)`", row[0])
    ]
    assert [word for word in listed if word in words] == [str(word) for word in words]


def in_words(default: Any) -> str:
    """A default as the settings table has it."""
    if default in (None, (), ""):
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def test_the_architecture_names_only_modules_that_exist() -> None:
    named = set(re.findall(r"[\w/]+\.py\b", ARCHITECTURE))
    folders = [TOP / "src", TOP / "scripts", TOP / "tests"]
    existing = [f"/{file.relative_to(TOP)}" for each in folders for file in each.rglob("*.py")]
    assert len(named) > 20
    assert {
        name for name in named if not any(each.endswith(f"/{name}") for each in existing)
    } == set()


def test_the_architecture_lists_every_folder_of_the_source() -> None:
    top = TOP / "src" / "symphony"
    listed = {row[0].strip("`/") for row in rows(ARCHITECTURE, "`[a-z_/]+/`")}
    packages = {file.parent.relative_to(top).as_posix() for file in top.rglob("__init__.py")}
    assert packages - listed - {"."} == set()
    assert {
        name for name in listed if not any((each / name).is_dir() for each in (top, TOP))
    } == set()


def test_the_architecture_names_every_module_outside_of_the_layers() -> None:
    (row,) = rows(ARCHITECTURE, "`src/symphony/`")
    named = set(re.findall(r"`(\w+\.py)`", row[1]))
    top = TOP / "src" / "symphony"
    assert named == {file.name for file in top.glob("*.py")} - {"__init__.py"}


def test_the_architecture_links_to_every_page_of_decisions() -> None:
    pages = {file.relative_to(TOP).as_posix() for file in (TOP / "docs" / "decisions").glob("*.md")}
    assert len(pages) > 5
    assert pages <= set(re.findall(r"\]\(([^)]+)\)", ARCHITECTURE))


def test_the_documents_name_only_recipes_that_exist() -> None:
    recipes = re.findall(r"^([a-z-]+)\b[^:\n]*:(?!=)", (TOP / "justfile").read_text(), re.MULTILINE)
    documents = [*TOP.glob("*.md"), *(TOP / "docs").rglob("*.md")]
    text = "".join(each.read_text("utf-8") for each in documents)
    named = set(re.findall(r"(?:`|uv run )just ([a-z-]+)", text))
    assert len(named) > 10
    assert named - set(recipes) == set()


def test_the_schema_in_the_examples_is_the_head() -> None:
    text = "".join(each.read_text("utf-8") for each in (TOP / "docs").rglob("*.md"))
    assert set(re.findall(r"The schema is at ([0-9]{3})", text)) == {head_revision()}
