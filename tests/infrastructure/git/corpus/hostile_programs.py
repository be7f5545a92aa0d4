"""Attacks that want git to run a program, which leaves a mark when it runs."""

from scripts.support.git_repository import Repository
from tests.infrastructure.git.corpus.hostile import HostileRepository, submodule


def file_system_monitor(hostile: HostileRepository) -> None:
    hostile.config("core.fsmonitor", hostile.program)


def file_system_monitor_in_an_included_file(hostile: HostileRepository) -> None:
    (hostile.outside / "config").write_text(f"[core]\n\tfsmonitor = {hostile.program}\n")
    hostile.config("include.path", str(hostile.outside / "config"))


def file_system_monitor_in_an_included_file_of_the_repository(hostile: HostileRepository) -> None:
    hostile.repo.write(".git/more", f"[core]\n\tfsmonitor = {hostile.program}\n")
    hostile.config("include.path", "more")


def file_system_monitor_included_for_this_directory(hostile: HostileRepository) -> None:
    (hostile.outside / "config").write_text(f"[core]\n\tfsmonitor = {hostile.program}\n")
    hostile.config(
        f"includeIf.gitdir:{hostile.repo.git_directory}.path", str(hostile.outside / "config")
    )


def file_system_monitor_of_this_worktree(hostile: HostileRepository) -> None:
    hostile.config("extensions.worktreeConfig", "true")
    hostile.repo.write(".git/config.worktree", f"[core]\n\tfsmonitor = {hostile.program}\n")


def hook_after_the_index_was_written(hostile: HostileRepository) -> None:
    hooks = hostile.repo.git_directory / "hooks"
    hooks.mkdir()
    (hooks / "post-index-change").symlink_to(hostile.program)


def hooks_in_another_directory(hostile: HostileRepository) -> None:
    (hostile.outside / "hooks").mkdir()
    for name in ("post-index-change", "fsmonitor-watchman", "reference-transaction"):
        (hostile.outside / "hooks" / name).symlink_to(hostile.program)
    hostile.config("core.hooksPath", str(hostile.outside / "hooks"))


def filter_that_cleans(hostile: HostileRepository) -> None:
    hostile.config("filter.evil.clean", hostile.program)
    hostile.attribute("filter=evil")


def filter_that_is_a_process(hostile: HostileRepository) -> None:
    hostile.config("filter.evil.process", hostile.program)
    hostile.attribute("filter=evil")


def filter_that_is_required_by_the_repository_alone(hostile: HostileRepository) -> None:
    hostile.config("filter.evil.clean", hostile.program)
    hostile.config("filter.evil.smudge", hostile.program)
    hostile.config("filter.evil.required", "true")
    hostile.repo.write(".git/info/attributes", "* filter=evil\n")


def file_system_monitor_in_a_submodule(hostile: HostileRepository) -> None:
    submodule(hostile).git("config", "core.fsmonitor", hostile.program)


def filter_in_a_submodule_that_must_not_be_ignored(hostile: HostileRepository) -> None:
    inner = submodule(hostile)
    inner.git("config", "filter.evil.clean", hostile.program)
    hostile.repo.write(".git/modules/vendor/info/attributes", "* filter=evil\n")
    hostile.repo.git("config", "--file=.gitmodules", "submodule.vendor.ignore", "none")
    hostile.repo.git("commit", "--quiet", "--all", "--message=none is ignored")


def missing_tree(hostile: HostileRepository) -> None:
    """Makes git want an object that only the remote has."""
    hostile.config("core.repositoryFormatVersion", "1")
    hostile.config("extensions.partialClone", "origin")
    hostile.config("remote.origin.promisor", "true")
    tree = hostile.repo.git("rev-parse", "HEAD^{tree}")
    (hostile.repo.git_directory / "objects" / tree[:2] / tree[2:]).unlink()


def missing_object_that_a_program_would_fetch(hostile: HostileRepository) -> None:
    hostile.config("remote.origin.url", str(hostile.secret.path))
    hostile.config("remote.origin.uploadpack", hostile.program)
    missing_tree(hostile)


def missing_object_behind_an_address_that_is_a_program(hostile: HostileRepository) -> None:
    hostile.config("remote.origin.url", "https://git.example.org/engine.git")
    hostile.config(f"url.ext::{hostile.program} .insteadOf", "https://git.example.org/")
    hostile.config("protocol.ext.allow", "always")
    missing_tree(hostile)


def missing_object_behind_a_shell_for_the_network(hostile: HostileRepository) -> None:
    hostile.config("remote.origin.url", "ssh://git.example.org/engine.git")
    hostile.config("core.sshCommand", hostile.program)
    missing_tree(hostile)


# git itself runs these programs for `git status`.
RUN_BY_STATUS = (
    file_system_monitor, file_system_monitor_in_an_included_file,
    file_system_monitor_in_an_included_file_of_the_repository,
    file_system_monitor_included_for_this_directory, file_system_monitor_of_this_worktree,
    hook_after_the_index_was_written, hooks_in_another_directory, filter_that_cleans,
    filter_that_is_a_process, filter_that_is_required_by_the_repository_alone,
    file_system_monitor_in_a_submodule, filter_in_a_submodule_that_must_not_be_ignored,
    missing_object_that_a_program_would_fetch, missing_object_behind_an_address_that_is_a_program,
    missing_object_behind_a_shell_for_the_network,
)  # fmt: skip


def programs_for_other_commands(hostile: HostileRepository) -> None:
    for name in (
        "alias.status", "alias.log", "alias.config", "core.askPass", "core.editor",
        "core.gitProxy", "core.pager", "core.sshCommand", "credential.helper", "diff.external",
        "diff.evil.command", "diff.evil.textconv", "filter.evil.smudge", "gpg.program",
        "gpg.ssh.program", "interactive.diffFilter", "merge.evil.driver", "pager.log",
        "pager.status", "remote.origin.receivepack", "remote.origin.uploadpack",
        "sequence.editor", "core.alternateRefsCommand", "uploadpack.packObjectsHook",
    ):  # fmt: skip
        hostile.config(name, f"!{hostile.program}" if name.startswith("alias") else hostile.program)
    hostile.attribute("diff=evil merge=evil filter=evil")


def signature_to_be_checked(hostile: HostileRepository) -> None:
    signed = hostile.repo.git("cat-file", "commit", "HEAD").replace(
        "\n\n", "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n -----END PGP SIGNATURE-----\n\n", 1
    )
    file = hostile.repo.write(".git/signed", signed + "\n")
    commit = hostile.repo.git("hash-object", "-t", "commit", "-w", str(file))
    hostile.repo.git("update-ref", "HEAD", commit)
    hostile.config("gpg.program", hostile.program)
    hostile.config("log.showSignature", "true")


def submodule_updated_by_a_program(hostile: HostileRepository) -> None:
    submodule(hostile)
    hostile.config("submodule.vendor.update", f"!{hostile.program}")
    hostile.config("status.submoduleSummary", "true")
    hostile.config("submodule.recurse", "true")


def repository_among_the_files(hostile: HostileRepository) -> None:
    nested = Repository.with_commits(hostile.repo.path / "nested", "inner")
    nested.git("config", "core.fsmonitor", hostile.program)
    (nested.git_directory / "hooks").mkdir()
    (nested.git_directory / "hooks/post-index-change").symlink_to(hostile.program)


def repository_among_the_files_that_is_elsewhere(hostile: HostileRepository) -> None:
    """git checks whether one exists; nothing else of it is revealed (see docs/decisions/git.md)."""
    hostile.secret.git("config", "core.fsmonitor", hostile.program)
    hostile.repo.write("nested/.git", f"gitdir: {hostile.secret.git_directory}\n")


def names_of_authors_outside(hostile: HostileRepository) -> None:
    hostile.config("mailmap.file", str(hostile.secret.path / "file"))
    hostile.repo.write("new")


def objects_to_be_fetched_from_elsewhere(hostile: HostileRepository) -> None:
    hostile.repo.write(
        ".git/objects/info/http-alternates", hostile.secret.git_directory.as_uri() + "/objects"
    )


WITHOUT_EFFECT = (
    programs_for_other_commands, signature_to_be_checked, submodule_updated_by_a_program,
    repository_among_the_files, repository_among_the_files_that_is_elsewhere,
    names_of_authors_outside, objects_to_be_fetched_from_elsewhere,
)  # fmt: skip
