"""Repositories in which somebody has planted a program, or something that leads elsewhere.

Whoever runs the program leaves a mark. Outside the allowed folder there is a repository whose
commit, whose files and whose name nobody may learn.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from tests.support.repositories import Repository

SECRET = "the secret that lies outside"


@dataclass(frozen=True, slots=True)
class Ground:
    """Where something is planted."""

    repo: Repository
    outside: Path

    @property
    def program(self) -> str:
        return str(self.outside / "program")

    @property
    def mark(self) -> Path:
        return self.outside / "mark"

    @property
    def secret(self) -> Repository:
        return Repository(self.outside / "secret")

    @classmethod
    def prepared(cls, root: Path, outside: Path) -> "Ground":
        """A repository with two files, of which one was touched since, so that git looks at it."""
        ground = cls(Repository.made(root / "repo"), outside)
        program = Path(ground.program)
        # Whatever it is run as, it answers nothing.
        program.write_text(f'#!/bin/sh\necho run as: "$0" "$@" >> {ground.mark}\n')
        program.chmod(0o755)
        secret = Repository.made(ground.secret.path)
        secret.write("file", SECRET)
        secret.git("add", ".")
        secret.git("commit", "--quiet", f"--message={SECRET}")
        ground.repo.commit("file")
        ground.repo.commit("other")
        os.utime(ground.repo.path / "file", ns=(10**18, 10**18))
        return ground

    def config(self, name: str, value: str) -> None:
        self.repo.git("config", name, value)

    def attribute(self, words: str) -> None:
        self.repo.write(".gitattributes", f"* {words}\n")


def file_system_monitor(ground: Ground) -> None:
    ground.config("core.fsmonitor", ground.program)


def file_system_monitor_in_an_included_file(ground: Ground) -> None:
    (ground.outside / "config").write_text(f"[core]\n\tfsmonitor = {ground.program}\n")
    ground.config("include.path", str(ground.outside / "config"))


def file_system_monitor_included_for_this_folder(ground: Ground) -> None:
    (ground.outside / "config").write_text(f"[core]\n\tfsmonitor = {ground.program}\n")
    ground.config(f"includeIf.gitdir:{ground.repo.own}.path", str(ground.outside / "config"))


def file_system_monitor_of_this_worktree(ground: Ground) -> None:
    ground.config("extensions.worktreeConfig", "true")
    ground.repo.write(".git/config.worktree", f"[core]\n\tfsmonitor = {ground.program}\n")


def hook_after_the_index_was_written(ground: Ground) -> None:
    (ground.repo.own / "hooks/post-index-change").symlink_to(ground.program)


def hooks_in_another_folder(ground: Ground) -> None:
    (ground.outside / "hooks").mkdir()
    for name in ("post-index-change", "fsmonitor-watchman", "reference-transaction"):
        (ground.outside / "hooks" / name).symlink_to(ground.program)
    ground.config("core.hooksPath", str(ground.outside / "hooks"))


def filter_that_cleans(ground: Ground) -> None:
    ground.config("filter.evil.clean", ground.program)
    ground.attribute("filter=evil")


def filter_that_is_a_process(ground: Ground) -> None:
    ground.config("filter.evil.process", ground.program)
    ground.attribute("filter=evil")


def filter_that_is_required_by_the_repository_alone(ground: Ground) -> None:
    ground.config("filter.evil.clean", ground.program)
    ground.config("filter.evil.smudge", ground.program)
    ground.config("filter.evil.required", "true")
    ground.repo.write(".git/info/attributes", "* filter=evil\n")


def submodule(ground: Ground) -> Repository:
    library = Repository.made(ground.repo.path.with_name("library"))
    library.commit("inner")
    ground.repo.git("submodule", "--quiet", "add", library.path.as_uri(), "vendor")
    ground.repo.git("commit", "--quiet", "--message=submodule")
    inner = Repository(ground.repo.path / "vendor")
    os.utime(inner.path / "inner", ns=(10**18, 10**18))
    return inner


def file_system_monitor_in_a_submodule(ground: Ground) -> None:
    submodule(ground).git("config", "core.fsmonitor", ground.program)


def filter_in_a_submodule_that_wants_to_be_looked_at(ground: Ground) -> None:
    inner = submodule(ground)
    inner.git("config", "filter.evil.clean", ground.program)
    ground.repo.write(".git/modules/vendor/info/attributes", "* filter=evil\n")
    ground.repo.git("config", "--file=.gitmodules", "submodule.vendor.ignore", "none")
    ground.repo.git("commit", "--quiet", "--all", "--message=none is ignored")


def missing_tree(ground: Ground) -> None:
    """Makes git want an object that only the remote has."""
    ground.config("core.repositoryFormatVersion", "1")
    ground.config("extensions.partialClone", "origin")
    ground.config("remote.origin.promisor", "true")
    tree = ground.repo.git("rev-parse", "HEAD^{tree}")
    (ground.repo.own / "objects" / tree[:2] / tree[2:]).unlink()


def missing_object_that_a_program_would_fetch(ground: Ground) -> None:
    ground.config("remote.origin.url", str(ground.secret.path))
    ground.config("remote.origin.uploadpack", ground.program)
    missing_tree(ground)


def missing_object_behind_an_address_that_is_a_program(ground: Ground) -> None:
    ground.config("remote.origin.url", "https://git.example.org/engine.git")
    ground.config(f"url.ext::{ground.program} .insteadOf", "https://git.example.org/")
    ground.config("protocol.ext.allow", "always")
    missing_tree(ground)


def missing_object_behind_a_shell_for_the_network(ground: Ground) -> None:
    ground.config("remote.origin.url", "ssh://git.example.org/engine.git")
    ground.config("core.sshCommand", ground.program)
    missing_tree(ground)


# What git itself runs when it is asked for the status.
BITING = (
    file_system_monitor, file_system_monitor_in_an_included_file,
    file_system_monitor_included_for_this_folder, file_system_monitor_of_this_worktree,
    hook_after_the_index_was_written, hooks_in_another_folder, filter_that_cleans,
    filter_that_is_a_process, filter_that_is_required_by_the_repository_alone,
    file_system_monitor_in_a_submodule, filter_in_a_submodule_that_wants_to_be_looked_at,
    missing_object_that_a_program_would_fetch, missing_object_behind_an_address_that_is_a_program,
    missing_object_behind_a_shell_for_the_network,
)  # fmt: skip


def programs_for_other_commands(ground: Ground) -> None:
    for name in (
        "alias.status", "alias.log", "alias.config", "core.askPass", "core.editor",
        "core.gitProxy", "core.pager", "core.sshCommand", "credential.helper", "diff.external",
        "diff.evil.command", "diff.evil.textconv", "filter.evil.smudge", "gpg.program",
        "gpg.ssh.program", "interactive.diffFilter", "merge.evil.driver", "pager.log",
        "pager.status", "remote.origin.receivepack", "remote.origin.uploadpack",
        "sequence.editor", "core.alternateRefsCommand", "uploadpack.packObjectsHook",
    ):  # fmt: skip
        ground.config(name, f"!{ground.program}" if name.startswith("alias") else ground.program)
    ground.attribute("diff=evil merge=evil filter=evil")


def signature_to_be_checked(ground: Ground) -> None:
    signed = ground.repo.git("cat-file", "commit", "HEAD").replace(
        "\n\n", "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n -----END PGP SIGNATURE-----\n\n", 1
    )
    file = ground.repo.write(".git/signed", signed + "\n")
    commit = ground.repo.git("hash-object", "-t", "commit", "-w", str(file))
    ground.repo.git("update-ref", "HEAD", commit)
    ground.config("gpg.program", ground.program)
    ground.config("log.showSignature", "true")


def submodule_updated_by_a_program(ground: Ground) -> None:
    submodule(ground)
    ground.config("submodule.vendor.update", f"!{ground.program}")
    ground.config("status.submoduleSummary", "true")
    ground.config("submodule.recurse", "true")


def repository_among_the_files(ground: Ground) -> None:
    nested = Repository.made(ground.repo.path / "nested")
    nested.commit("inner")
    nested.git("config", "core.fsmonitor", ground.program)
    (nested.own / "hooks/post-index-change").symlink_to(ground.program)


def repository_among_the_files_that_is_elsewhere(ground: Ground) -> None:
    """git looks whether there is one, and nothing else is told of it: see architecture.md."""
    ground.secret.git("config", "core.fsmonitor", ground.program)
    ground.repo.write("nested/.git", f"gitdir: {ground.secret.own}\n")


def lists_of_files_outside(ground: Ground) -> None:
    (ground.outside / "list").write_text("*\n* filter=evil\n")
    ground.config("core.excludesFile", str(ground.outside / "list"))
    ground.config("core.attributesFile", str(ground.outside / "list"))
    ground.config("filter.evil.clean", ground.program)
    ground.config("mailmap.file", str(ground.secret.path / "file"))
    ground.repo.write("new")


def objects_to_be_fetched_from_elsewhere(ground: Ground) -> None:
    ground.repo.write(".git/objects/info/http-alternates", ground.secret.own.as_uri() + "/objects")


def upstream_outside(ground: Ground) -> None:
    ground.config("branch.main.remote", ".")
    ground.config("branch.main.merge", "refs/heads/../../../../outside/secret/.git/HEAD")


HARMLESS = (
    programs_for_other_commands, signature_to_be_checked, submodule_updated_by_a_program,
    repository_among_the_files, repository_among_the_files_that_is_elsewhere,
    lists_of_files_outside, objects_to_be_fetched_from_elsewhere,
)  # fmt: skip


def files_said_to_be_elsewhere(ground: Ground) -> None:
    ground.config("core.worktree", str(ground.secret.path))


def git_directory_behind_a_link(ground: Ground) -> None:
    ground.repo.own.rename(ground.repo.path / "was")
    ground.repo.own.symlink_to(ground.secret.own)


def git_directory_named_by_a_file(ground: Ground) -> None:
    ground.repo.own.rename(ground.repo.path / "was")
    ground.repo.own.write_text(f"gitdir: {ground.secret.own}\n")


def common_directory_outside(ground: Ground) -> None:
    ground.repo.write(".git/commondir", f"{ground.secret.own}\n")


def folder_behind_a_link(ground: Ground) -> None:
    ground.repo.path.rename(ground.repo.path.with_name("was"))
    ground.repo.path.symlink_to(ground.secret.path)


def submodule_outside(ground: Ground) -> None:
    inner = submodule(ground)
    inner.own.write_text(f"gitdir: {ground.secret.own}\n")


def alternate_objects_outside(ground: Ground) -> None:
    ground.repo.write(".git/objects/info/alternates", f"{ground.secret.own}/objects\n")


def alternate_objects_of_alternate_objects_outside(ground: Ground) -> None:
    between = Repository.made(ground.repo.path.with_name("between"))
    between.write(".git/objects/info/alternates", f"{ground.secret.own}/objects\n")
    ground.repo.write(".git/objects/info/alternates", f"{between.own}/objects\n")


def alternate_objects_in_quotes(ground: Ground) -> None:
    ground.repo.write(".git/objects/info/alternates", f'"{ground.secret.own}/objects"\n')


def _linked(ground: Ground, name: str) -> None:
    place = ground.repo.own / name
    if place.exists():
        place.rename(place.with_name(place.name + ".was"))
    place.symlink_to(ground.secret.own / name)


def head_behind_a_link(ground: Ground) -> None:
    _linked(ground, "HEAD")


def index_behind_a_link(ground: Ground) -> None:
    _linked(ground, "index")


def config_behind_a_link(ground: Ground) -> None:
    _linked(ground, "config")


def refs_behind_a_link(ground: Ground) -> None:
    _linked(ground, "refs")


def heads_behind_a_link(ground: Ground) -> None:
    _linked(ground, "refs/heads")


def branch_behind_a_link(ground: Ground) -> None:
    _linked(ground, "refs/heads/main")


def packed_refs_behind_a_link(ground: Ground) -> None:
    ground.secret.git("pack-refs", "--all")
    _linked(ground, "packed-refs")


def objects_behind_a_link(ground: Ground) -> None:
    _linked(ground, "objects")


def packs_behind_a_link(ground: Ground) -> None:
    ground.secret.git("gc", "--quiet")
    _linked(ground, "objects/pack")


def pack_behind_a_link(ground: Ground) -> None:
    ground.secret.git("gc", "--quiet")
    for file in (ground.secret.own / "objects/pack").iterdir():
        (ground.repo.own / "objects/pack" / file.name).symlink_to(file)
    ground.repo.git("update-ref", "HEAD", ground.secret.git("rev-parse", "HEAD"))


def commit_behind_a_link(ground: Ground) -> None:
    for file in (ground.secret.own / "objects").glob("??/*"):
        link = ground.repo.own / "objects" / file.parent.name / file.name
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(file)
    ground.repo.git("update-ref", "HEAD", ground.secret.git("rev-parse", "HEAD"))


def stashes_behind_a_link(ground: Ground) -> None:
    (ground.repo.own / "logs/refs/stash").symlink_to(ground.secret.path / "file")


LEADING_OUT = (
    files_said_to_be_elsewhere, git_directory_behind_a_link, git_directory_named_by_a_file,
    common_directory_outside, folder_behind_a_link, submodule_outside, alternate_objects_outside,
    alternate_objects_of_alternate_objects_outside, alternate_objects_in_quotes,
    head_behind_a_link, index_behind_a_link, config_behind_a_link, refs_behind_a_link,
    heads_behind_a_link, branch_behind_a_link, packed_refs_behind_a_link, objects_behind_a_link,
    packs_behind_a_link, pack_behind_a_link, commit_behind_a_link, stashes_behind_a_link,
    upstream_outside,
)  # fmt: skip
