"""Random steps, taken by the service, by the simulated machines and by the model."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.api.machines.history.expected_board import ExpectedBoard, ModelMachine, ModelRepo
from tests.api.machines.history.git_world import (
    BRANCHES,
    Computer,
    Directory,
    Remote,
    new_commit,
)
from tests.support.api import User, created

JsonObject = dict[str, Any]
WORKTREE: JsonObject = {"path": "/home/ada/w", "branch": None, "head": None, "reason": None}
UNREAD: JsonObject = {
    "state": "error",
    "reason": "The index cannot be read.",
    **dict.fromkeys(("branch", "head", "upstream", "ahead", "behind", "as_of"), None),
    "unpushed_commits": None,
    "work": [],
}
FACTS: Sequence[JsonObject] = (
    *({} for _ in range(16)),
    {"state": "dirty", "modified": 2},
    {"state": "dirty", "untracked": 1},
    {"state": "dirty", "conflicted": 1, "operation": "merge"},
    {"operation": "bisect"},
    {"stashes": 3},
    {"reason": "Two files are marked, and were not compared."},
    {"reason": "Too many commits are on no remote.", "unpushed_commits": None},
    {"work_truncated": True},
    {"worktrees": [WORKTREE | {"state": "dirty"}]},
    {"worktrees": [WORKTREE | {"state": "missing"}, WORKTREE | {"state": "clean"}]},
    UNREAD,
)
ROLES = ("laptop", "desktop", "tower")


@dataclass
class Sent:
    """A report that was computed: it can arrive late, several times or never."""

    machine_id: str
    body: JsonObject


@dataclass
class RandomHistory:
    """A user with three machines and a few workspaces; `size` checkouts on each machine."""

    user: User
    random: Random
    size: int
    now: datetime
    model: ExpectedBoard = field(default_factory=ExpectedBoard)
    computers: list[Computer] = field(default_factory=list[Computer])
    remotes: list[Remote] = field(default_factory=list[Remote])
    machine_ids: dict[str, str] = field(default_factory=dict[str, str])
    workspaces: list[str] = field(default_factory=list[str])
    late: list[Sent] = field(default_factory=list[Sent])

    async def start(self) -> None:
        for name in ("work", "own", "research"):
            self.workspaces.append((await self.user.workspace(name))["id"])
        for number in range(max(4, self.size * 3 // 4)):
            remote = Remote.new(f"git.example.org/ada/project-{number}")
            self.remotes.append(remote)
            if number % 8 == 0:
                self.remotes.append(remote.fork(f"git.example.org/eve/project-{number}"))
        for name in ROLES:
            skew = timedelta(seconds=self.random.randint(-86_400, 86_400))
            self.computers.append(Computer(name, skew))
            await self._create_machine(name)
        for _ in range(self.size // 2 + 2):
            await self._register()
        for computer in self.computers:
            for _ in range(self.size // 2):
                self._clone(computer)

    async def step(self) -> None:
        """Take a few steps on the machines, then one that the server can notice."""
        self.now += timedelta(seconds=self.random.choice([1, 40, 900, 900, 7_200, 40_000, 260_000]))
        for _ in range(self.random.randint(1, 6)):
            self._work(self.random.choice(self.computers))
        actions: list[Callable[[], Any]] = [
            *([self._report] * 12),
            *([self._report_late] * 3),
            *([self._lose_report] * 2),
            *([self._register] * 2),
            *(self._unregister, self._change_repo, self._change_repo, self._move_repo),
            *(self._change_machine, self._set_clock),
        ]
        await self.random.choice(actions)()

    # What happens on the machines

    def _work(self, computer: Computer) -> None:
        kinds = [self._clone, self._commit, self._exchange, self._exchange, self._change_files]
        kinds += [self._move_or_delete, self._commit, self._exchange, self._hand_over]
        self.random.choice(kinds)(computer)

    def _clone(self, computer: Computer) -> None:
        if len(computer.directories) >= self.size:
            return
        random, path = self.random, self._free_path(computer)
        if random.random() < 0.12:
            roots = [new_commit()]
            commits = [roots[0]]
            directory = Directory({}, roots, "main", {"main": commits})
            if random.random() < 0.3:  # a copy of a directory with a remote
                remote = random.choice(self.remotes)
                directory = Directory({}, [remote.root], "main", {"main": [remote.root]})
            computer.directories[path] = directory
            return
        remote = random.choice(self.remotes)
        remotes = {"origin": (remote, self._url(remote))}
        if random.random() < 0.2:
            other = random.choice(self.remotes)
            remotes["up/stream"] = (other, self._url(other))
        branch = random.choice(["main", "main", "idea"])
        local = {branch: [*remote.branches[branch]]}
        directory = Directory(remotes, [remote.root], branch, local)
        if random.random() < 0.1:
            directory.roots = [new_commit(), *directory.roots]
        directory.fetch("origin", self.now + computer.skew)
        computer.directories[path] = directory

    def _commit(self, computer: Computer) -> None:
        directory = self._pick(computer)
        if directory is None:
            return
        random, now = self.random, self.now + computer.skew
        chosen = random.random()
        if chosen < 0.1:
            directory.tag = [new_commit()] if random.random() < 0.5 else []
        elif chosen < 0.2:
            directory.detached = [] if directory.detached else [new_commit()]
            if random.random() < 0.3:
                directory.detached = [*next(iter(directory.local.values()))]
        elif chosen < 0.3 and directory.remotes:
            branch = random.choice(BRANCHES)
            base = next(iter(directory.local.values()))
            directory.local.setdefault(branch, [*base])
            directory.branch = branch
        else:
            directory.integrated = random.choice(["no", "no", "no", "squashed", "unknown"])
            directory.commit(now - timedelta(days=random.choice([0, 0, 0, 40])))

    def _exchange(self, computer: Computer) -> None:
        directory = self._pick(computer)
        if directory is None or not directory.remotes:
            return
        random, now = self.random, self.now + computer.skew
        remote = random.choice([*directory.remotes])
        kind = random.choice(["push", "push", "pull", "fetch", "force"])
        if kind in {"push", "force"}:
            directory.push(remote, force=kind == "force" and random.random() < 0.3)
        elif kind == "pull":
            directory.pull(remote, now)
        else:
            directory.fetch(remote, now)

    def _hand_over(self, computer: Computer) -> None:
        """Push what was committed, from here or from a copy elsewhere, where others fetch it."""
        directory = self._pick(computer)
        if directory is None or not directory.remotes:
            return
        other = self.random.choice(self.computers)  # or another directory of the same one
        if self.random.random() < 0.5 and len(other.directories) < self.size:
            copy = deepcopy(directory, {id(remote): remote for remote in self.remotes})
            other.directories[self._free_path(other)] = directory = copy
        directory.push(next(iter(directory.remotes)), force=False)
        for each in other.directories.values():
            if {r.key for r, _ in each.remotes.values()} & {
                r.key for r, _ in directory.remotes.values()
            }:
                each.fetch(next(iter(each.remotes)), self.now + other.skew)

    def _change_files(self, computer: Computer) -> None:
        directory = self._pick(computer)
        if directory is not None:
            directory.facts = {**self.random.choice(FACTS)}

    def _move_or_delete(self, computer: Computer) -> None:
        if not computer.directories:
            return
        path = self.random.choice([*computer.directories])
        directory = computer.directories.pop(path)
        if self.random.random() < 0.6:
            computer.directories[self._free_path(computer)] = directory

    # What the server notices

    async def _report(self) -> None:
        computer = self.random.choice(self.computers)
        sent = self._compute(computer)
        await self._send(sent)
        if self.random.random() < 0.15:
            self.now += timedelta(seconds=5)
            await self._send(sent)  # as after an answer that was lost

    async def _lose_report(self) -> None:
        """The reporter is killed before it sends."""
        self._compute(self.random.choice(self.computers))
        self.model.met["lost"] += 1

    async def _report_late(self) -> None:
        """An earlier report arrives, or one is kept for later."""
        if self.late and self.random.random() < 0.6:
            await self._send(self.late.pop(self.random.randrange(len(self.late))))
        else:
            self.late.append(self._compute(self.random.choice(self.computers)))

    def _compute(self, computer: Computer) -> Sent:
        return Sent(self.machine_ids[computer.name], computer.report(self.now))

    async def _send(self, sent: Sent) -> None:
        expected = self.model.report(sent.machine_id, sent.body, self.now)
        answer = await self.user.put(f"/machines/{sent.machine_id}/report", sent.body)
        assert answer.status_code == expected, answer.text
        self.model.met[f"report {expected}"] += 1
        if expected == 200:
            places = [
                place.body["path"]
                for found in self.model.matches().values()
                for place in found
                if place.machine.id == sent.machine_id
            ]
            assert answer.json()["matched"] == len(set(places))
            assert answer.json()["unmatched"] == len(sent.body["checkouts"]) - len(set(places))

    async def _register(self) -> None:
        workspace = self.random.choice(self.workspaces)
        used = sum(each.workspace == workspace for each in self.model.repos.values())
        if used >= 100:
            return
        fields = {"name": f"repo-{len(self.model.repos)}-{new_commit()[:6]}", **self._place()}
        answer = await self.user.post(f"/workspaces/{workspace}/repos", fields)
        repo = created(answer)
        url = fields["remote_url"]
        remote = None if url is None else self.model.keys[url]
        self.model.repos[repo["id"]] = ModelRepo(
            repo["id"], fields["name"], workspace, fields["path"], remote
        )

    async def _unregister(self) -> None:
        repo = self._pick_repo()
        if repo is not None:
            answer = await self.user.delete(f"/repos/{repo.id}")
            assert answer.status_code == 204
            del self.model.repos[repo.id]

    async def _change_repo(self) -> None:
        repo = self._pick_repo()
        if repo is None:
            return
        fields = self._place()
        answer = await self.user.patch(f"/repos/{repo.id}", fields)
        assert answer.status_code == 200, answer.text
        url = fields["remote_url"]
        repo.path, repo.remote = fields["path"], None if url is None else self.model.keys[url]

    async def _move_repo(self) -> None:
        repo, workspace = self._pick_repo(), self.random.choice(self.workspaces)
        used = sum(each.workspace == workspace for each in self.model.repos.values())
        if repo is not None and used < 100:
            answer = await self.user.patch(f"/repos/{repo.id}", {"workspace_id": workspace})
            assert answer.status_code == 200, answer.text
            repo.workspace = workspace

    async def _change_machine(self) -> None:
        computer = self.random.choice(self.computers)
        machine_id = self.machine_ids[computer.name]
        if self.random.random() < 0.5:
            name = f"{self.random.choice('aKz')}-{computer.name}"
            answer = await self.user.patch(f"/machines/{machine_id}", {"name": name})
            assert answer.status_code == 200, answer.text
            self.model.machines[machine_id].name = name
            return
        assert (await self.user.delete(f"/machines/{machine_id}")).status_code == 204
        del self.model.machines[machine_id]
        self.model.met["machine deleted"] += 1
        if self.random.random() < 0.5:  # its reporter goes on, and is refused
            await self._send(self._compute(computer))
        await self._create_machine(computer.name)

    async def _set_clock(self) -> None:
        computer = self.random.choice(self.computers)
        computer.skew = timedelta(seconds=self.random.randint(-86_400, 86_400))

    async def _create_machine(self, name: str) -> None:
        machine = created(await self.user.post("/machines", {"name": name}))
        self.machine_ids[name] = machine["id"]
        self.model.machines[machine["id"]] = ModelMachine(machine["id"], name)

    # What is compared

    async def check(self, user: User, workspaces: set[str] | None = None) -> None:
        """Compare the board of a user, or of a confined token, with the model's."""
        answer = await user.get(f"/user-profiles/{self.user.id}/attention?fresh=false")
        assert answer.status_code == 200, answer.text
        expected = self.model.board(self.now, workspaces)
        items = {each["id"]: self._shown(each) for each in answer.json()["items"]}
        found = {"items": items, "unobserved": answer.json()["unobserved"]}
        different = [
            (items.get(each), expected["items"].get(each))
            for each in {**items, **expected["items"]}
            if items.get(each) != expected["items"].get(each)
        ]
        assert different == [], different
        assert found == expected
        for item in expected["items"].values():
            self.model.met.update(item["reasons"])
            self.model.met[f"at risk: {item['at_risk']}"] += 1
            self.model.met[f"{min(len(item['checkouts']), 4)} checkouts"] += 1

    def _shown(self, item: JsonObject) -> JsonObject:
        return {
            **{name: item[name] for name in ("name", "workspace_id", "reasons", "at_risk", "path")},
            "checkouts": [
                {
                    **each,
                    "machine": each["machine"]["name"],
                    "observed_at": datetime.fromisoformat(each["observed_at"]),
                }
                for each in item["checkouts"]
            ],
        }

    # Choices

    def _pick(self, computer: Computer) -> Directory | None:
        """Choose a directory: mostly one of a few, so that the machines meet."""
        if not computer.directories:
            return None
        directories = [*computer.directories.values()]
        if self.random.random() < 0.7:
            hot = {each.key for each in self.remotes[:6]}
            directories = [
                each for each in directories if any(r.key in hot for r, _ in each.remotes.values())
            ] or directories
        return self.random.choice(directories)

    def _pick_repo(self) -> ModelRepo | None:
        repos = [*self.model.repos.values()]
        return self.random.choice(repos) if repos else None

    def _place(self) -> JsonObject:
        """The remote and path of a repo."""
        random = self.random
        url = None if random.random() < 0.2 else self._url(random.choice(self.remotes))
        local = [
            path
            for computer in self.computers
            for path, directory in computer.directories.items()
            if not directory.remotes
        ]
        path = random.choice(local) if local and random.random() < 0.5 else "~/elsewhere"
        return {"path": path, "remote_url": url}

    def _url(self, remote: Remote) -> str:
        url = remote.url(self.random)
        self.model.keys[url] = remote.key
        return url

    def _free_path(self, computer: Computer) -> str:
        while (path := f"/home/ada/{self.random.randrange(10_000)}") in computer.directories:
            pass
        return path
