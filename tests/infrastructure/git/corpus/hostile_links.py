"""Attacks that want git to read the secret repository, which is outside the git root."""

from scripts.support.git_repository import Repository
from tests.infrastructure.git.corpus.hostile import HostileRepository, submodule


def files_said_to_be_elsewhere(hostile: HostileRepository) -> None:
    hostile.config("core.worktree", str(hostile.secret.path))


def git_directory_behind_a_link(hostile: HostileRepository) -> None:
    hostile.repo.git_directory.rename(hostile.repo.path / "was")
    hostile.repo.git_directory.symlink_to(hostile.secret.git_directory)


def git_directory_named_by_a_file(hostile: HostileRepository) -> None:
    hostile.repo.git_directory.rename(hostile.repo.path / "was")
    hostile.repo.git_directory.write_text(f"gitdir: {hostile.secret.git_directory}\n")


def common_directory_outside(hostile: HostileRepository) -> None:
    hostile.repo.write(".git/commondir", f"{hostile.secret.git_directory}\n")


def directory_behind_a_link(hostile: HostileRepository) -> None:
    hostile.repo.path.rename(hostile.repo.path.with_name("was"))
    hostile.repo.path.symlink_to(hostile.secret.path)


def submodule_outside(hostile: HostileRepository) -> None:
    inner = submodule(hostile)
    inner.git_directory.write_text(f"gitdir: {hostile.secret.git_directory}\n")


def alternate_objects_outside(hostile: HostileRepository) -> None:
    hostile.repo.write(".git/objects/info/alternates", f"{hostile.secret.git_directory}/objects\n")


def alternate_objects_of_alternate_objects_outside(hostile: HostileRepository) -> None:
    between = Repository.created(hostile.repo.path.with_name("between"))
    between.write(".git/objects/info/alternates", f"{hostile.secret.git_directory}/objects\n")
    hostile.repo.write(".git/objects/info/alternates", f"{between.git_directory}/objects\n")


def alternate_objects_in_quotes(hostile: HostileRepository) -> None:
    hostile.repo.write(
        ".git/objects/info/alternates", f'"{hostile.secret.git_directory}/objects"\n'
    )


def _linked(hostile: HostileRepository, name: str) -> None:
    target = hostile.repo.git_directory / name
    if target.exists():
        target.rename(target.with_name(target.name + ".was"))
    target.symlink_to(hostile.secret.git_directory / name)


def head_behind_a_link(hostile: HostileRepository) -> None:
    _linked(hostile, "HEAD")


def index_behind_a_link(hostile: HostileRepository) -> None:
    _linked(hostile, "index")


def config_behind_a_link(hostile: HostileRepository) -> None:
    _linked(hostile, "config")


def refs_behind_a_link(hostile: HostileRepository) -> None:
    _linked(hostile, "refs")


def heads_behind_a_link(hostile: HostileRepository) -> None:
    _linked(hostile, "refs/heads")


def branch_behind_a_link(hostile: HostileRepository) -> None:
    _linked(hostile, "refs/heads/main")


def packed_refs_behind_a_link(hostile: HostileRepository) -> None:
    hostile.secret.git("pack-refs", "--all")
    _linked(hostile, "packed-refs")


def objects_behind_a_link(hostile: HostileRepository) -> None:
    _linked(hostile, "objects")


def packs_behind_a_link(hostile: HostileRepository) -> None:
    hostile.secret.git("gc", "--quiet")
    _linked(hostile, "objects/pack")


def pack_behind_a_link(hostile: HostileRepository) -> None:
    hostile.secret.git("gc", "--quiet")
    for file in (hostile.secret.git_directory / "objects/pack").iterdir():
        (hostile.repo.git_directory / "objects/pack" / file.name).symlink_to(file)
    hostile.repo.git("update-ref", "HEAD", hostile.secret.git("rev-parse", "HEAD"))


def commit_behind_a_link(hostile: HostileRepository) -> None:
    for file in (hostile.secret.git_directory / "objects").glob("??/*"):
        link = hostile.repo.git_directory / "objects" / file.parent.name / file.name
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(file)
    hostile.repo.git("update-ref", "HEAD", hostile.secret.git("rev-parse", "HEAD"))


def _tag(hostile: HostileRepository, target: str, kind: str) -> str:
    """Write an annotated tag, as an object without a name, and return its id."""
    text = f"object {target}\ntype {kind}\ntag name\ntagger A <a> 1 +0000\n\nmine\n"
    file = hostile.repo.write(".git/tag", text)
    return hostile.repo.git("hash-object", "-t", "tag", "-w", str(file))


def commit_of_a_tag_behind_a_link(hostile: HostileRepository) -> None:
    commit_behind_a_link(hostile)
    tag = _tag(hostile, hostile.secret.head, "commit")
    hostile.repo.write(".git/refs/heads/main", tag)


def commit_of_a_tag_of_a_tag_behind_a_link(hostile: HostileRepository) -> None:
    commit_behind_a_link(hostile)
    tag = _tag(hostile, _tag(hostile, hostile.secret.head, "commit"), "tag")
    hostile.repo.write(".git/HEAD", tag)


def commit_of_a_tag_behind_a_link_in_a_bare_repository(hostile: HostileRepository) -> None:
    commit_of_a_tag_behind_a_link(hostile)
    hostile.config("core.bare", "true")


def commit_of_a_tag_behind_a_link_in_an_alternate(hostile: HostileRepository) -> None:
    commit_of_a_tag_behind_a_link(hostile)
    between = Repository.created(hostile.repo.path.with_name("between"))
    commit = hostile.secret.head
    link = hostile.repo.git_directory / "objects" / commit[:2]
    link.rename(between.git_directory / "objects" / commit[:2])
    hostile.repo.write(".git/objects/info/alternates", f"{between.git_directory}/objects\n")


def commit_graph_behind_a_link(hostile: HostileRepository) -> None:
    hostile.secret.git("commit-graph", "write", "--reachable")
    _linked(hostile, "objects/info/commit-graph")


def chain_of_commit_graphs_behind_a_link(hostile: HostileRepository) -> None:
    hostile.secret.git("commit-graph", "write", "--reachable", "--split")
    _linked(hostile, "objects/info/commit-graphs")


def commit_graph_of_a_chain_behind_a_link(hostile: HostileRepository) -> None:
    hostile.secret.git("commit-graph", "write", "--reachable", "--split")
    (hostile.repo.git_directory / "objects/info/commit-graphs").mkdir()
    _linked(hostile, "objects/info/commit-graphs/commit-graph-chain")


def index_of_packs_behind_a_link(hostile: HostileRepository) -> None:
    hostile.secret.git("gc", "--quiet")
    hostile.secret.git("multi-pack-index", "write")
    _linked(hostile, "objects/pack/multi-pack-index")


def stashes_behind_a_link(hostile: HostileRepository) -> None:
    (hostile.repo.git_directory / "logs/refs/stash").symlink_to(hostile.secret.path / "file")


def upstream_outside(hostile: HostileRepository) -> None:
    hostile.config("branch.main.remote", ".")
    hostile.config("branch.main.merge", "refs/heads/../../../../outside/secret/.git/HEAD")


def refs_behind_two_links(hostile: HostileRepository) -> None:
    between = hostile.repo.path.with_name("between")
    between.symlink_to(hostile.secret.git_directory)
    refs = hostile.repo.git_directory / "refs"
    refs.rename(refs.with_name("was"))
    refs.symlink_to("../../between/refs")


def list_of_ignored_files_behind_a_link(hostile: HostileRepository) -> None:
    hostile.secret.write(".git/info/exclude", "*")
    _linked(hostile, "info")
    hostile.repo.write("new")


def list_of_ignored_files_outside(hostile: HostileRepository) -> None:
    hostile.config("core.excludesFile", str(hostile.secret.path / "file"))
    hostile.repo.write("new")


def attributes_outside(hostile: HostileRepository) -> None:
    hostile.config("core.attributesFile", str(hostile.secret.path / "file"))


def attributes_outside_behind_a_link(hostile: HostileRepository) -> None:
    (hostile.repo.git_directory / "list").symlink_to(hostile.secret.path / "file")
    hostile.config("core.attributesFile", ".git/list")


LEADING_OUTSIDE = (
    files_said_to_be_elsewhere, git_directory_behind_a_link, git_directory_named_by_a_file,
    common_directory_outside, directory_behind_a_link, submodule_outside, alternate_objects_outside,
    alternate_objects_of_alternate_objects_outside, alternate_objects_in_quotes,
    head_behind_a_link, index_behind_a_link, config_behind_a_link, refs_behind_a_link,
    heads_behind_a_link, branch_behind_a_link, packed_refs_behind_a_link, objects_behind_a_link,
    packs_behind_a_link, pack_behind_a_link, commit_behind_a_link, commit_of_a_tag_behind_a_link,
    commit_of_a_tag_of_a_tag_behind_a_link, commit_of_a_tag_behind_a_link_in_a_bare_repository,
    commit_of_a_tag_behind_a_link_in_an_alternate, commit_graph_behind_a_link,
    chain_of_commit_graphs_behind_a_link, commit_graph_of_a_chain_behind_a_link,
    index_of_packs_behind_a_link, stashes_behind_a_link, upstream_outside,
    refs_behind_two_links, list_of_ignored_files_behind_a_link, list_of_ignored_files_outside,
    attributes_outside, attributes_outside_behind_a_link,
)  # fmt: skip
