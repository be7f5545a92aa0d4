"""What git, ssh and Python need of the system: programs, libraries, modules, certificates."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from symphony.infrastructure.git.confinement.landlock import Access, Rule

_PROGRAMS_AND_LIBRARIES = (
    *("/usr/bin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec", "/usr/local/lib"),
    *("/bin", "/lib", "/lib32", "/lib64"),
    *("/nix/store", "/gnu/store"),  # all packages of NixOS and Guix, readable by everyone
)
_LOADER = ("/etc/ld.so.cache", "/etc/ld.so.preload")
_LOADER_SETTINGS = "/etc/ld.so.conf"
# What the dynamic loader of musl has in place of these.
_LOADER_OF_MUSL = tuple(f"/etc/ld-musl-{machine}.path" for machine in ("x86_64", "aarch64"))
# The C library reads these once for the whole process, perhaps in a confined thread: for `~`, and
# for the times of log lines.
_OF_THE_C_LIBRARY = ("/etc/passwd", "/etc/nsswitch.conf", "/etc/localtime")
# git names its temporary files at random where the C library has no function for that.
_RANDOM_NUMBERS = ("/dev/urandom", "/dev/random")
# Resolution of names, and the user's name (ssh requires one).
_NAMES = (
    *("/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/gai.conf"),
    *("/etc/services", "/etc/protocols", "/etc/group", "/var/lib/sss/mc"),
)
# Certificates of authorities and policies of libraries; never private keys, as in /etc/ssl/private.
_CERTIFICATES = (
    *("/etc/ssl/certs", "/etc/ssl/cert.pem", "/etc/ssl/openssl.cnf", "/etc/ssl/ca-bundle.pem"),
    *("/etc/pki/tls/certs", "/etc/pki/tls/cert.pem", "/etc/pki/tls/openssl.cnf"),
    *("/etc/pki/ca-trust", "/etc/ca-certificates", "/var/lib/ca-certificates"),
    *("/usr/share/ca-certificates", "/usr/local/share/ca-certificates", "/usr/share/pki"),
    *("/usr/share/p11-kit", "/etc/pkcs11", "/etc/gnutls", "/etc/crypto-policies"),
    *("/usr/share/crypto-policies", "/proc/sys/crypto/fips_enabled"),
)
_STANDARD = ("/usr/bin", "/bin")
_EXEC_PATH_WITHIN = 5  # seconds


def system_rules(search_path: str) -> tuple[Rule, ...]:
    """Return what each confined thread may use; `search_path` is where git is searched.

    Call it in a thread that is not confined: it may start git, and reads what the rules exclude.
    """
    programs = (shutil.which(name, path=search_path) for name in ("git", "ssh", "sh"))
    return _system_rules(tuple((each, os.path.realpath(each)) for each in programs if each))


@cache  # as long as the same programs are found
def _system_rules(programs: tuple[tuple[str, str], ...]) -> tuple[Rule, ...]:
    libraries = (*_PROGRAMS_AND_LIBRARIES, *_loader_directories())
    installed = [each for found, real in programs for each in _installation(found, real)]
    return (
        *_rules((*libraries, *installed), Access.RUN),
        *_rules((*_LOADER, *_LOADER_OF_MUSL, *_OF_THE_C_LIBRARY), Access.READ_FILE),
        *_rules(_RANDOM_NUMBERS, Access.READ_FILE),
        *_rules(_python(), Access.READ),
        Rule(Path(os.devnull), Access.READ_FILE | Access.WRITE_FILE),
    )


@cache
def network_rules() -> tuple[Rule, ...]:
    """Return what a thread that contacts a remote may read besides."""
    return _rules((*_NAMES, *_CERTIFICATES), Access.READ)


def _rules(paths: tuple[str, ...], access: Access) -> tuple[Rule, ...]:
    """Return a rule for each path that exists and is not in a directory that has the same rule."""
    existing = sorted({os.path.realpath(path) for path in paths if os.path.exists(path)})
    top = list[Path]()
    for path in map(Path, existing):
        if not any(path.is_relative_to(other) for other in top):
            top.append(path)
    return tuple(Rule(path, access) for path in top)


def _loader_directories() -> list[str]:
    """Return the directories that the operator has configured for libraries (ld.so.conf(5))."""
    settings = [Path(_LOADER_SETTINGS), *Path(f"{_LOADER_SETTINGS}.d").glob("*.conf")]
    lines = list[str]()
    for file in settings:
        try:
            lines += file.read_text(errors="replace").splitlines()
        except OSError:
            continue
    return [line.strip() for line in lines if line.startswith("/")]


def _installation(found: str, real: str) -> list[str]:
    """Return a program, and the libraries and programs that were installed with it.

    Of the directory of a program, which may contain anything, only the program itself.
    """
    if os.path.dirname(found) in _STANDARD:
        return []
    paths = [real]
    prefixes = {os.path.dirname(os.path.dirname(each)) for each in (os.path.abspath(found), real)}
    if os.path.basename(found) == "git" and (exec_path := _exec_path(found)):
        # The program may be a script that runs the git of another installation.
        prefix = os.path.dirname(os.path.dirname(exec_path))
        prefixes.add(prefix)
        paths += [exec_path, os.path.join(prefix, "bin", "git")]
    paths += [
        os.path.join(prefix, part)
        for prefix in prefixes
        for part in ("lib", "lib32", "lib64", "libexec")
    ]
    return paths


def _exec_path(git: str) -> str | None:
    """Return the directory of the programs that belong to git (git(1), `--exec-path`)."""
    try:
        output = subprocess.run(  # noqa: S603 - the operator's git
            [git, "--exec-path"],
            env={"PATH": os.path.dirname(git) + os.pathsep + os.defpath},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_EXEC_PATH_WITHIN,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    path = os.fsdecode(output.strip())
    return path if os.path.isabs(path) and os.path.isdir(path) else None


def _python() -> tuple[str, ...]:
    """Return where modules are.

    Nothing is imported in a confined thread, but an import there that fails would make the importer
    of the whole process remember the directory as empty. A directory that is searched only because
    it is the working directory may contain anything, so it is not included.
    """
    own = str(Path(__file__).parents[4])  # the directory with the package `symphony`
    unknown = os.path.realpath(os.curdir)
    paths = (path for path in sys.path if os.path.isabs(path))
    return tuple(path for path in paths if path == own or os.path.realpath(path) != unknown)
