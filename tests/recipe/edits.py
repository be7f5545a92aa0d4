"""The edits of existing files that the recipe "A noun" of CLAUDE.md asks for, for snippets."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines that are added to a file after a text that occurs in it once."""

    file: str
    after: str
    added: str

    def apply(self, tree: Path) -> None:
        """Raises: LookupError when the text does not occur exactly once."""
        file = tree / self.file
        text = file.read_text("utf-8")
        if text.count(self.after) != 1:
            raise LookupError(f"{self.file} has {self.after!r} {text.count(self.after)} times")
        file.write_text(text.replace(self.after, self.after + self.added), "utf-8")


_DATABASE = "src/symphony/infrastructure/database"

EDITS = (
    # The counter on the parent's row.
    Edit("src/symphony/domain/workspaces.py", "    vault_count: int\n", "    snippet_count: int\n"),
    # The port.
    Edit(
        "src/symphony/domain/unit_of_work.py",
        "import RepoRepository\n",
        "from symphony.domain.snippets import SnippetRepository\n",
    ),
    Edit(
        "src/symphony/domain/unit_of_work.py",
        "    def repos(self) -> RepoRepository: ...\n",
        "    @property\n    def snippets(self) -> SnippetRepository: ...\n",
    ),
    # The service.
    Edit(
        "src/symphony/application/app.py",
        "from symphony.domain.repos import RepoService\n",
        "from symphony.domain.snippets import SnippetService\n",
    ),
    Edit(
        "src/symphony/application/app.py",
        "uow.workspaces, policy.max_repos_per_workspace)\n",
        "        self.snippets = SnippetService(uow.snippets, uow.workspaces)\n",
    ),
    # The table.
    Edit(f"{_DATABASE}/models.py", "    InUserProfileModel,\n", "    InWorkspaceModel,\n"),
    Edit(
        f"{_DATABASE}/models.py",
        'name="vault_count"),\n',
        '        CheckConstraint("snippet_count >= 0", name="snippet_count"),\n',
    ),
    Edit(
        f"{_DATABASE}/models.py",
        '    vault_count: Mapped[int] = mapped_column(server_default="0")\n',
        '    snippet_count: Mapped[int] = mapped_column(server_default="0")\n'
        "\n\nclass SnippetModel(InWorkspaceModel):\n"
        '    __tablename__ = "snippets"\n'
        '    __table_args__ = named_in("workspace_id")\n\n'
        "    code: Mapped[str] = mapped_column(Text)\n",
    ),
    # The mapping.
    Edit(
        f"{_DATABASE}/mappings.py",
        "from symphony.domain.repos import Repo\n",
        "from symphony.domain.snippets import Snippet\n",
    ),
    Edit(f"{_DATABASE}/mappings.py", "    RepoModel,\n", "    SnippetModel,\n"),
    Edit(
        f"{_DATABASE}/mappings.py",
        'REPOS = EntityMapping(Repo, RepoModel, parent="workspace_id", container=WORKSPACES)\n',
        "SNIPPETS = EntityMapping(\n"
        '    Snippet, SnippetModel, parent="workspace_id", container=WORKSPACES\n)\n',
    ),
    # The repository: it has the common queries only, so it needs no module.
    Edit(
        f"{_DATABASE}/unit_of_work.py",
        "from symphony.infrastructure.database.api_tokens import SqlAlchemyApiTokens\n",
        "from symphony.infrastructure.database.base_repository import SqlAlchemyPagedRepository\n",
    ),
    Edit(f"{_DATABASE}/unit_of_work.py", "mappings import ", "SNIPPETS, "),
    Edit(
        f"{_DATABASE}/unit_of_work.py",
        "        self.repos = SqlAlchemyRepos(connection)\n",
        "        self.snippets = SqlAlchemyPagedRepository(connection, SNIPPETS)\n",
    ),
    # The problems.
    Edit(
        "src/symphony/api/problems/catalogue.py",
        '    **_noun("repo", unique_in="in this workspace", counted_in="The workspace"),\n',
        '    **_noun("snippet", unique_in="in this workspace", counted_in="The workspace"),\n',
    ),
    # The tag in the documentation.
    Edit(
        "src/symphony/api/openapi/document.py",
        '    "repos": "Git repositories of a workspace: their location, status and remotes.",\n',
        '    "snippets": "Short pieces of code in a workspace.",\n',
    ),
    # The guide, whose tables a test compares with the code.
    Edit(
        "docs/api.md",
        "| `DELETE /api/v1/repos/{id}` | 204 | 404 `repo-not-found`; 412 `precondition-failed` |\n",
        "| `POST /api/v1/workspaces/{id}/snippets` | 201 | 404 `workspace-not-found`; 409"
        " `snippet-name-taken`, `snippet-limit-reached`; 422 `idempotency-key-reused` |\n"
        "| `GET /api/v1/workspaces/{id}/snippets` | 200, a [list](#lists) | 400 `invalid-cursor`;"
        " 404 `workspace-not-found` |\n"
        "| `GET /api/v1/snippets/{id}` | 200 | 404 `snippet-not-found` |\n"
        "| `PATCH /api/v1/snippets/{id}` | 200 | 404 `snippet-not-found`; 409"
        " `snippet-name-taken`; 412 `precondition-failed` |\n"
        "| `DELETE /api/v1/snippets/{id}` | 204 | 404 `snippet-not-found`; 412"
        " `precondition-failed` |\n",
    ),
    Edit(
        "docs/api.md",
        "| 404 | `repo-not-found` | The same. |\n",
        "| 404 | `snippet-not-found` | The same. |\n",
    ),
    Edit(
        "docs/api.md",
        "| 409 | `repo-name-taken` | The same. |\n",
        "| 409 | `snippet-name-taken` | The same. |\n",
    ),
    Edit(
        "docs/api.md",
        "| 409 | `repo-limit-reached` | The same. |\n",
        "| 409 | `snippet-limit-reached` | The same. |\n",
    ),
)
