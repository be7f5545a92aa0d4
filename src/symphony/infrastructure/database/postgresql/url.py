"""Parsing a PostgreSQL URL as libpq does.

The driver parses URLs as well, but sends a parameter that it does not know to the server as a
setting, and ignores others.
"""

import os
import pwd
import re
import ssl
from collections.abc import Callable, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from urllib.parse import unquote

from symphony.infrastructure.database.postgresql.address import (
    DatabaseUrlError,
    Keepalives,
    Places,
    PostgresqlAddress,
)
from symphony.infrastructure.database.postgresql.files import (
    find_password,
    home,
    is_default_present,
    read_service,
    require_password_file,
    require_private_key,
    require_readable,
)
from symphony.infrastructure.database.postgresql.parameters import (
    PARAMETERS,
    check_parameters,
    parse_ports,
)

SCHEMES = ("postgresql://", "postgres://", "postgresql+asyncpg://")
_DEFAULT_PORT = "5432"
_TLS = (
    "sslmode",
    "sslnegotiation",
    "sslcert",
    "sslkey",
    "sslpassword",
    "sslrootcert",
    "sslcrl",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
)
# The server splits `options` at spaces that no backslash escapes.
_WORD = re.compile(r"(?:\\.|\S)+")
_SYSTEM = "system"
_VERIFYING = ("verify-ca", "verify-full")


def parse_postgresql_url(
    url: str, environment: Mapping[str, str] | None = None
) -> PostgresqlAddress:
    """Return the address that a URL, libpq's variables and a service describe together.

    Raises: DatabaseUrlError, which names the parameter and never repeats a value that may be
    secret.
    """
    environment = os.environ if environment is None else environment
    given, sources = _collected(_split(url), environment)
    check_parameters(given, sources)
    hosts = _hosts(given.get("host", ""))
    ports = parse_ports(given.get("port", _DEFAULT_PORT), sources.get("port", "port"))
    if len(ports) not in {1, len(hosts)}:
        raise DatabaseUrlError("port must be one port, or one for each host")
    if hosts and len(ports) == 1:
        ports *= len(hosts)
    user = given.get("user") or _current_user()
    database = given.get("dbname") or user
    tls, context = _tls(given)
    options = given.get("options", "")
    return PostgresqlAddress(
        hosts=hosts,
        ports=ports,
        user=user,
        database=database,
        find_password=_password(given, sources, database, user),
        tls=tls,
        tls_context=context,
        target_session_attrs=given.get("target_session_attrs", "any"),
        kerberos={name: given[name] for name in ("krbsrvname", "gsslib") if name in given},
        server_settings=_server_settings(given),
        set_by_options=_set_by(options),
        connect_timeout=_number(given, "connect_timeout"),
        keepalives=Keepalives(
            enabled=given.get("keepalives") != "0",
            idle=_number(given, "keepalives_idle"),
            interval=_number(given, "keepalives_interval"),
            count=_number(given, "keepalives_count"),
            user_timeout=_number(given, "tcp_user_timeout"),
        ),
    )


def _collected(
    of_url: Mapping[str, str], environment: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Merge the parameters of the URL, the service and the environment; empty ones are absent.

    Returns the parameters, and how a message names those that are not from the URL.
    """
    of_environment = {
        name: environment[known.variable]
        for name, known in PARAMETERS.items()
        if known.variable is not None and environment.get(known.variable)
    }
    service = of_url.get("service") or of_environment.get("service")
    of_service = read_service(service, environment) if service else {}
    if "service" in of_service:
        raise DatabaseUrlError("service: a definition cannot name another service")
    sources = {name: f"{PARAMETERS[name].variable}: {name}" for name in of_environment}
    sources |= {name: f"service: {name}" for name in of_service}
    sources = {name: source for name, source in sources.items() if not of_url.get(name)}
    merged = of_environment | of_service | {name: each for name, each in of_url.items() if each}
    return {name: value for name, value in merged.items() if value}, sources


def _split(url: str) -> dict[str, str]:
    """Return the parameters of a URL; the query's take precedence, as in libpq."""
    if not url.isprintable():
        raise DatabaseUrlError("must not contain control characters; percent-encode them")
    rest = next(url[len(each) :] for each in SCHEMES if url.startswith(each))
    rest, _, query = rest.partition("?")
    authority, _, path = rest.partition("/")
    credentials, at, places = authority.rpartition("@")
    if "@" in credentials or "@" in path or (not at and "@" in query.partition("=")[0]):
        raise DatabaseUrlError(
            "special characters in the user, password and database must be percent-encoded, such"
            " as %40 for @ and %2F for /"
        )
    user, _, password = credentials.partition(":")
    given = {"user": _decoded(user), "password": _decoded(password), "dbname": _decoded(path)}
    given |= _split_places(places)
    seen = set[str]()
    for each in filter(None, query.split("&")):
        name, separator, value = each.partition("=")
        name = _decoded(name)
        if not separator:
            raise DatabaseUrlError("each parameter after the ? must be name=value")
        if name in seen and name in PARAMETERS:
            raise DatabaseUrlError(f"the parameter {name} is given twice")
        seen.add(name)
        given |= _translated(name, _decoded(value))
    return given


def _split_places(places: str) -> dict[str, str]:
    """Return `host` and `port` of `host:port,[address]:port`."""
    if not places:
        return {}
    hosts, ports = list[str](), list[str]()
    for place in places.split(","):
        if place.startswith("["):
            host, bracket, port = place[1:].partition("]")
            if not bracket or (port and not port.startswith(":")):
                raise DatabaseUrlError("an IPv6 address must be in brackets, such as [::1]:5432")
            port = port[1:]
        else:
            host, _, port = place.partition(":")
            if ":" in port:
                raise DatabaseUrlError("an IPv6 address must be in brackets, such as [::1]:5432")
        hosts.append(_decoded(host))
        ports.append(_decoded(port))
    given = {"host": ",".join(hosts)}
    if any(ports):
        given["port"] = ",".join(each or _DEFAULT_PORT for each in ports)
    return given


def _translated(name: str, value: str) -> dict[str, str]:
    if name == "ssl":  # libpq takes over this one from JDBC's URLs
        if value != "true":
            raise DatabaseUrlError("ssl must be true; sslmode has more choices")
        return {"sslmode": "require"}
    return {name: value}


def _decoded(text: str) -> str:
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise DatabaseUrlError("percent-encoded characters must be UTF-8") from None
    if "\0" in decoded:
        raise DatabaseUrlError("must not contain %00")
    return decoded


def _hosts(value: str) -> tuple[str, ...]:
    hosts = tuple(value.split(",")) if value else ()
    for host in hosts:
        if host.startswith("@"):
            raise DatabaseUrlError("host: abstract Unix sockets are not supported")
        if not host or host.count(":") == 1:
            raise DatabaseUrlError(
                "host must be a name, an address or a directory; ports go to port"
            )
    return hosts


def _current_user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise DatabaseUrlError("must name a user: this process's user has no name") from None


def _password(
    given: Mapping[str, str],
    sources: Mapping[str, str],
    database: str,
    user: str,
) -> Callable[[Places], str | None]:
    if "password" in given:
        password = given["password"]
        return lambda _: password
    if "passfile" in given:
        file = Path(given["passfile"])
        require_password_file(file, sources.get("passfile", "passfile"))
    else:
        directory = home()
        if directory is None:
            return lambda _: None
        file = directory / ".pgpass"
    return partial(find_password, file, database, user)


def _server_settings(given: Mapping[str, str]) -> dict[str, str]:
    name = given.get("application_name") or given.get("fallback_application_name", "symphony")
    settings = {"application_name": name}
    if "options" in given:
        settings["options"] = given["options"]
    return settings


def _set_by(options: str) -> frozenset[str]:
    """Return the settings in `options`: `-c name=value`, `-cname=value` or `--name=value`."""
    words = _WORD.findall(options)
    names = set[str]()
    for before, word in zip(chain([""], words), words, strict=False):
        if before == "-c":
            setting = word
        elif word.startswith(("-c", "--")) and word != "-c":
            setting = word[2:]
        else:
            continue
        names.add(setting.partition("=")[0].lower().replace("-", "_"))
    if "client_encoding" in names:
        raise DatabaseUrlError("options must not set client_encoding, which is UTF8")
    return frozenset(names)


def _number(given: Mapping[str, str], name: str) -> int | None:
    return int(given[name]) if name in given else None


def _tls(given: Mapping[str, str]) -> tuple[dict[str, str], ssl.SSLContext | None]:
    """Return the parameters of TLS, and a context for what the driver cannot do by them.

    The files are read once to find mistakes at the start. Raises: DatabaseUrlError.
    """
    tls = {name: given[name] for name in _TLS if name in given}
    uses_system = tls.get("sslrootcert") == _SYSTEM
    mode = tls.get("sslmode", "verify-full" if uses_system else "prefer")
    for name in ("sslcert", "sslrootcert", "sslcrl"):
        if name in tls and not (name == "sslrootcert" and uses_system):
            require_readable(name, tls[name])
    if "sslkey" in tls:
        require_private_key("sslkey", tls["sslkey"])
    if mode == "disable":
        return {"sslmode": mode}, None
    if tls.get("sslnegotiation") == "direct" and mode not in {"require", *_VERIFYING}:
        raise DatabaseUrlError("sslnegotiation=direct needs sslmode=require or stronger")
    if uses_system and mode != "verify-full":
        raise DatabaseUrlError("sslrootcert=system needs sslmode=verify-full")
    if mode in _VERIFYING and "sslrootcert" not in tls and not is_default_present("root.crt"):
        raise DatabaseUrlError(
            f"sslmode={mode} needs sslrootcert: a file with the certificates of authorities, or"
            f" {_SYSTEM} for those of the operating system"
        )
    context = _context(tls)  # finds mistakes in the files, also where the driver creates its own
    return (tls, context) if uses_system else (tls, None)


def _context(tls: Mapping[str, str]) -> ssl.SSLContext:
    """Build the TLS context of the parameters.

    Raises: DatabaseUrlError for a file that contains something else.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # which verifies certificates and names
    context.set_alpn_protocols(["postgresql"])
    low, high = (tls.get(f"ssl_{each}_protocol_version") for each in ("min", "max"))
    context.minimum_version = _version(low or "TLSv1.2")
    if high:
        context.maximum_version = _version(high)
    name = "sslrootcert"
    try:
        if tls.get(name) == _SYSTEM:
            context.load_default_certs()
        elif name in tls:
            context.load_verify_locations(tls[name])
        name = "sslcrl"
        if name in tls:
            context.load_verify_locations(tls[name])
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
        name = "sslcert"
        if name in tls:
            secret = tls.get("sslpassword", "")
            context.load_cert_chain(tls[name], tls.get("sslkey"), lambda: secret)
    except (OSError, ValueError):  # SSLError is an OSError
        raise DatabaseUrlError(
            f"{name}: the file does not contain what is needed, or sslkey or sslpassword is wrong"
            if name == "sslcert"
            else f"{name}: the file contains no certificates in PEM format"
        ) from None
    return context


def _version(name: str) -> ssl.TLSVersion:
    return ssl.TLSVersion[name.replace(".", "_")]
