"""The form of the documents: sizes, links, and phrases that the style does not allow."""

import re
from pathlib import Path

import pytest

from tests.support.checkout import TOP

# The two pages with which a reader decides and finds the way, in bytes.
LIMITS = {"README.md": 6_000, "architecture.md": 10_000}
DOCUMENTS = sorted([*TOP.glob("*.md"), *(TOP / "docs").rglob("*.md")])

# Phrases that were found in texts and that readers stumbled over. Each is wrong wherever it occurs.
PHRASES = (
    "anew",
    "are told",
    "belongs to somebody",
    "breaks a rule",
    "is told",
    "looks at",
    "nobody was faster",
    "one thing is wrong",
    "so many at once",
    "somebody",
    "things are wrong",
    "whoever",
    "without fear",
)
_PHRASE = re.compile(rf"\b({'|'.join(map(re.escape, PHRASES))})\b", re.IGNORECASE)


@pytest.mark.parametrize("name", LIMITS)
def test_the_first_pages_stay_short(name: str) -> None:
    assert (TOP / name).stat().st_size < LIMITS[name]


@pytest.mark.long
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.name)
def test_every_link_in_a_document_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", without_blocks(document)):
        if target.startswith("https://"):
            continue
        file, _, heading = target.partition("#")
        linked = (document.parent / file).resolve() if file else document
        assert linked.is_relative_to(TOP), target
        assert linked.exists(), target
        assert not heading or heading in anchors(linked), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.name)
def test_no_heading_of_a_document_occurs_twice(document: Path) -> None:
    # The second one would have another anchor, with a number that changes.
    headings = re.findall(r"^#+ (.+)$", without_blocks(document), re.MULTILINE)
    assert len(headings) == len(set(headings))


def test_a_list_of_contents_has_every_section_in_its_order() -> None:
    with_contents = set[str]()
    for document in DOCUMENTS:
        introduction, *sections = re.split(
            r"^(?=## )", without_blocks(document), flags=re.MULTILINE
        )
        listed = re.findall(r"^(?:-|\d+\.) \[.+?\]\(#(.+?)\)", introduction, re.MULTILINE)
        if len(listed) > 1:
            with_contents.add(document.name)
            headings = [anchor(each.partition("\n")[0].removeprefix("## ")) for each in sections]
            assert listed == headings, document
    assert with_contents >= {"api.md", "performance.md", "production.md", "vaults.md"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.name)
def test_every_row_of_a_table_is_shown_in_its_table(document: Path) -> None:
    # After an empty line, a row that is not followed by the line below a head is plain text.
    starts = re.findall(r"(?<=\n\n)\|.*\n.*", without_blocks(document))
    assert [start for start in starts if not re.search(r"\n\|[-| ]+\|$", start)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.name)
def test_no_document_uses_a_phrase_that_the_style_forbids(document: Path) -> None:
    lines = document.read_text("utf-8").splitlines()
    assert [line for line in lines if _PHRASE.search(line)] == []


@pytest.mark.long
def test_no_text_in_the_source_uses_a_phrase_that_the_style_forbids() -> None:
    code = [file for pattern in ("*.py", "*.js") for file in (TOP / "src").rglob(pattern)]
    sources = [*code, TOP / "justfile", TOP / "pyproject.toml"]
    found = {
        f"{source.relative_to(TOP)}: {line.strip()}"
        for source in sources
        for line in source.read_text("utf-8").splitlines()
        if _PHRASE.search(line)
    }
    assert found == set()


def without_blocks(document: Path) -> str:
    """The text of a document without its fenced blocks, whose comments look like headings."""
    return re.sub(r"^```.*?^```$", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors(document: Path) -> set[str]:
    """The anchors that a renderer derives from the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", without_blocks(document), re.MULTILINE)
    return set(map(anchor, headings))


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")
