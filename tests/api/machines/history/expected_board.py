"""What the board must say, computed from the contract in the simplest way that there is.

It shares no code with the service, and remembers every accepted report as it was sent.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

JsonObject = dict[str, Any]
ORDER = (
    *("dirty", "worktree", "unpushed", "detached", "behind", "diverged", "stashed", "conflict"),
    *("no-remote", "at-risk", "missing", "unreadable", "stale", "unseen"),
)
UNFINISHED = {"dirty", "worktree", "unpushed", "detached", "stashed", "conflict", "at-risk"}
RISK_ORDER = [True, None, False]


@dataclass
class ModelRepo:
    id: str
    name: str
    workspace: str
    path: str
    remote: str | None


@dataclass
class Knowledge:
    """The commit of a remote's branch, and between which times of the server it was learned."""

    head: str
    earliest: datetime | None
    latest: datetime
    before: list[str] = field(default_factory=list[str])


@dataclass
class ModelMachine:
    id: str
    name: str
    sequence: int = -1
    reported_at: datetime | None = None
    checkouts: dict[str, JsonObject] = field(default_factory=dict[str, JsonObject])
    knowledge: dict[str, dict[tuple[str, str], Knowledge]] = field(default_factory=dict[str, Any])


@dataclass
class Place:
    """A checkout of a machine."""

    machine: ModelMachine
    body: JsonObject

    @property
    def status(self) -> JsonObject:
        return self.body["status"]

    def remotes(self, keys: Mapping[str, str]) -> set[str]:
        return {keys[each["url"]] for each in self.body["remotes"]}


@dataclass
class ExpectedBoard:
    """The server as the model has it; `keys` maps the addresses of remotes to host and path."""

    keys: dict[str, str] = field(default_factory=dict[str, str])
    repos: dict[str, ModelRepo] = field(default_factory=dict[str, ModelRepo])
    machines: dict[str, ModelMachine] = field(default_factory=dict[str, ModelMachine])
    met: Counter[str] = field(default_factory=Counter[str])

    def report(self, machine_id: str, body: JsonObject, now: datetime) -> int:
        """Accept a report, or not; return the status of the answer."""
        machine = self.machines.get(machine_id)
        if machine is None:
            return 404
        if body["sequence"] <= machine.sequence:
            return 409
        observed = [datetime.fromisoformat(each["status"]["observed_at"]) for each in bodies(body)]
        difference = now - max(observed, default=now)
        knowledge: dict[str, dict[tuple[str, str], Knowledge]] = {}
        for each in bodies(body):
            before = machine.knowledge.get(each["path"], {})
            learned = self._learned(each, before, now, difference, machine.reported_at)
            knowledge[each["path"]] = learned
        machine.knowledge = knowledge
        machine.checkouts = {each["path"]: each for each in bodies(body)}
        machine.sequence, machine.reported_at = body["sequence"], now
        return 200

    def _learned(
        self,
        body: JsonObject,
        before: Mapping[tuple[str, str], Knowledge],
        now: datetime,
        difference: timedelta,
        reported_at: datetime | None,
    ) -> dict[tuple[str, str], Knowledge]:
        keys = {each["name"]: self.keys[each["url"]] for each in body["remotes"]}
        learned: dict[tuple[str, str], Knowledge] = {}
        for each in body["remote_heads"]:
            place = (keys[each["remote"]], each["branch"])
            is_upstream = body["status"]["upstream"] == f"{each['remote']}/{each['branch']}"
            if not is_upstream and each["branch"] not in {"main", "master"}:
                continue
            known = before.get(place)
            if known is None:
                earliest = None
                known_as_of: JsonObject = body["status"]["as_of"] or {"at": None}
                fetched = known_as_of["at"]
                if fetched is not None and len(keys) == 1:
                    earliest = min(datetime.fromisoformat(fetched) + difference, now)
                learned[place] = Knowledge(each["head"], earliest, now)
            elif known.head == each["head"]:
                learned[place] = known
            else:
                older = [each for each in known.before if each != known.head]
                learned[place] = Knowledge(each["head"], reported_at, now, [known.head, *older][:5])
        return learned

    def places(self) -> list[Place]:
        return [
            Place(machine, body)
            for machine in self.machines.values()
            for body in machine.checkouts.values()
        ]

    def matches(self) -> dict[str, list[Place]]:
        """The checkouts of each repo."""
        found: dict[str, list[Place]] = {each: [] for each in self.repos}
        remaining: list[Place] = []
        roots: dict[str, set[str]] = {each: set() for each in self.repos}
        for place in self.places():
            remotes = place.remotes(self.keys)
            own = [each for each in self.repos.values() if each.remote in remotes]
            for each in own:
                found[each.id].append(place)
                roots[each.id].update(place.body["root_commits"])
            if not own:
                remaining.append(place)
        remaining = self._by_roots(remaining, roots, found)
        left: list[Place] = []
        by_path: list[tuple[str, Place]] = []
        for place in remaining:
            own = [each for each in self.repos.values() if each.path == place.body["path"]]
            if place.body["remotes"] or not own:
                left.append(place)
                continue
            for each in own:
                found[each.id].append(place)
                by_path.append((each.id, place))
        for repo_id, place in by_path:
            roots[repo_id].update(place.body["root_commits"])
        self._by_roots(left, roots, found)
        return found

    def _by_roots(
        self,
        places: Sequence[Place],
        roots: Mapping[str, set[str]],
        found: dict[str, list[Place]],
    ) -> list[Place]:
        others: list[Place] = []
        for place in places:
            own: set[str] = set()
            for root in place.body["root_commits"]:
                owners = [each for each in roots if root in roots[each]]
                own.update(owners if len(owners) == 1 else [])
            for each in own:
                found[each].append(place)
            if not own:
                others.append(place)
        return others

    def board(self, now: datetime, workspaces: set[str] | None = None) -> JsonObject:
        """The board at a time, of all workspaces or some, in the form in which it is compared."""
        matches = self.matches()
        reached = [
            each
            for each in self.repos.values()
            if workspaces is None or each.workspace in workspaces
        ]
        items = {
            each.id: item
            for each in reached
            if (item := self._item(each, matches[each.id], now))["reasons"]
        }
        return {
            "items": items,
            "unobserved": sum(not matches[each.id] for each in reached),
        }

    def _item(self, repo: ModelRepo, places: Sequence[Place], now: datetime) -> JsonObject:
        places = sorted(
            places,
            key=lambda each: (each.machine.name.casefold(), each.machine.id, each.body["path"]),
        )
        checkouts = [self._checkout(each, places, now) for each in places]
        risks = [each["at_risk"] for each in checkouts]
        reasons = {reason for each in checkouts for reason in each["reasons"]}
        shown = min(
            checkouts,
            key=lambda each: (RISK_ORDER.index(each["at_risk"]), -len(each["reasons"])),
            default={"path": None},
        )
        return {
            "name": repo.name,
            "workspace_id": repo.workspace,
            "reasons": [each for each in ORDER if each in reasons],
            "at_risk": next((each for each in RISK_ORDER if each in risks), False),
            "path": shown["path"],
            "checkouts": checkouts,
        }

    def _checkout(self, place: Place, places: Sequence[Place], now: datetime) -> JsonObject:
        reported_at = place.machine.reported_at
        assert reported_at is not None
        others = [each for each in places if each.machine is not place.machine]
        elsewhere = {head["head"] for each in others for head in each.body["remote_heads"]}
        at_risk = place.status["at_risk"]
        pending, is_complete = self._pending(place.status)
        if is_complete:
            left = [each for each in pending if each["head"] not in elsewhere]
            if pending and not left and self._has_only_commits(place.body):
                at_risk = False
                self.met["cleared"] += 1
            pending = left
        is_behind = bool(place.status["behind"]) or self._knows_less(place, others)
        found = set(self._reasons(place, pending, is_behind=is_behind, at_risk=at_risk))
        head: JsonObject = place.status["head"] or {"authored_at": None}
        authored = head["authored_at"]
        is_old = authored and now - datetime.fromisoformat(authored) > timedelta(days=30)
        if is_old and found & UNFINISHED:
            found.add("stale")
        if now - reported_at > timedelta(days=7):
            found.add("unseen")
            at_risk = at_risk or None
        return {
            "machine": place.machine.name,
            "path": place.body["path"],
            "branch": place.status["branch"],
            "reasons": [each for each in ORDER if each in found],
            "at_risk": at_risk,
            "observed_at": reported_at,
            "unfinished_since": None,  # these machines report no times of work
        }

    def _pending(self, status: JsonObject) -> tuple[list[JsonObject], bool]:
        """The items that are not pushed and not integrated, and whether these are all."""
        pending = [
            each
            for each in status["work"]
            if each["unpushed_commits"] != 0 and each["integrated"] in {"no", "unknown"}
        ]
        return pending, not status["work_truncated"] and status["unpushed_commits"] is not None

    def _has_only_commits(self, body: JsonObject) -> bool:
        status = body["status"]
        files = ("staged", "modified", "untracked", "conflicted", "stashes")
        return (
            bool(body["remotes"])
            and status["reason"] is None
            and status["operation"] is None
            and not any(status[name] for name in files)
            and all(each["state"] == "clean" for each in status["worktrees"])
        )

    def _reasons(
        self, place: Place, pending: Sequence[JsonObject], *, is_behind: bool, at_risk: bool | None
    ) -> Iterator[str]:
        status = place.status
        if status["state"] == "error":
            yield "unreadable"
            return
        refs = {each["head"] for each in status["work"] if each["kind"] != "detached"}
        states = [each["state"] for each in status["worktrees"]]
        is_busy = bool(status["conflicted"] or status["operation"])
        found = {
            "dirty": status["state"] == "dirty",
            "worktree": "dirty" in states,
            "unpushed": bool(place.body["remotes"])
            and any(each["kind"] != "detached" for each in pending),
            "detached": any(
                each["kind"] == "detached" and each["head"] not in refs for each in pending
            ),
            "stashed": bool(status["stashes"]),
            "conflict": is_busy,
            "no-remote": not place.body["remotes"],
        }
        if at_risk and not any(found.values()):
            yield "at-risk"
        found["behind"] = is_behind
        found["diverged"] = is_behind and bool(status["ahead"])
        found["unreadable"] = (at_risk is None and not is_busy) or (
            status["unpushed_commits"] is None
        )
        yield from (name for name, applies in found.items() if applies)

    def _knows_less(self, place: Place, others: Sequence[Place]) -> bool:
        """Whether another machine knows that the upstream has moved on."""
        upstream = place.status["upstream"]
        if upstream is None:
            return False
        remote = next(
            each for each in place.body["remotes"] if upstream.startswith(f"{each['name']}/")
        )
        key = (self.keys[remote["url"]], upstream.removeprefix(f"{remote['name']}/"))
        own = place.machine.knowledge[place.body["path"]][key]
        local = place.status["head"] and place.status["head"]["id"]
        for each in others:
            known = each.machine.knowledge[each.body["path"]].get(key)
            if known is None or known.head in {own.head, local, *own.before}:
                continue
            if known.earliest is not None and known.earliest > own.latest:
                self.met["learned later"] += 1
                return True
            if own.head in known.before:
                self.met["learned instead"] += 1
                return True
        return False


def bodies(report: JsonObject) -> list[JsonObject]:
    return report["checkouts"]
