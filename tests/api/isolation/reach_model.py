"""A model of what tokens reach, in plain dictionaries; it imports nothing of the service."""

from dataclasses import dataclass, field

WORKSPACE, REPO, VAULT = "workspace", "repo", "vault"


@dataclass(slots=True)
class Thing:
    """A workspace, or a repo or vault in one; a deleted one is kept, since requests can name it."""

    id: str
    noun: str
    owner: str
    name: str
    workspace_id: str
    """Its own id, if it is a workspace."""
    is_gone: bool = False

    @property
    def path(self) -> str:
        return f"/{self.noun}s/{self.id}"


@dataclass(frozen=True, slots=True)
class Token:
    """A token with its secret; `workspace_ids` is None for one that is not confined."""

    owner: str
    secret: str
    workspace_ids: frozenset[str] | None


@dataclass(slots=True)
class Reached:
    """All things and tokens of all users."""

    things: dict[str, Thing] = field(default_factory=dict[str, Thing])
    tokens: list[Token] = field(default_factory=list[Token])

    def sees(self, token: Token, thing_id: str) -> bool:
        """Whether a thing exists for a token."""
        thing = self.things.get(thing_id)
        return (
            thing is not None
            and not thing.is_gone
            and thing.owner == token.owner
            and (token.workspace_ids is None or thing.workspace_id in token.workspace_ids)
        )

    def seen(self, token: Token, noun: str, workspace_id: str | None = None) -> set[str]:
        """The ids of what a list of a token contains."""
        return {
            each.id
            for each in self.things.values()
            if each.noun == noun
            and self.sees(token, each.id)
            and workspace_id in {None, each.workspace_id}
        }

    def remove(self, thing: Thing) -> None:
        """Delete a thing with all that it contains."""
        for each in self.things.values():
            if each is thing or (thing.noun == WORKSPACE and each.workspace_id == thing.id):
                each.is_gone = True

    def is_taken(self, noun: str, workspace_id: str, name: str) -> bool:
        return any(
            (each.noun, each.workspace_id, each.name) == (noun, workspace_id, name)
            for each in self.things.values()
            if not each.is_gone
        )
