"""The variables that Kubernetes sets in each container for the Services of its namespace.

A Service called `symphony` or `symphony-db` gives them the prefix of the settings. Their shapes are
those of Docker's links: https://kubernetes.io/docs/concepts/services-networking/service/
"""

import re

_PROTOCOL = "(?:TCP|UDP|SCTP)"
_IPV4 = r"\d{1,3}(?:\.\d{1,3}){3}"
_IPV6 = r"(?=[^:]*:)[0-9A-Fa-f:.]+"
_ADDRESS = rf"(?:{_IPV4}|{_IPV6})"
_URL = rf"(?i:{_PROTOCOL})://(?:{_IPV4}|\[{_IPV6}\]):\d{{1,5}}"
_SHAPES = tuple(
    (re.compile(rf"SYMPHONY_(?:[A-Z0-9_]+_)?{name}"), re.compile(value))
    for name, value in (
        ("SERVICE_HOST", _ADDRESS),
        (r"SERVICE_PORT(?:_[A-Z0-9_]+)?", r"\d{1,5}"),
        ("PORT", _URL),
        (rf"PORT_\d{{1,5}}_{_PROTOCOL}", _URL),
        (rf"PORT_\d{{1,5}}_{_PROTOCOL}_PROTO", f"(?i:{_PROTOCOL})"),
        (rf"PORT_\d{{1,5}}_{_PROTOCOL}_PORT", r"\d{1,5}"),
        (rf"PORT_\d{{1,5}}_{_PROTOCOL}_ADDR", _ADDRESS),
    )
)


def is_service_link(name: str, value: str) -> bool:
    """Return whether a variable, by its name and its value, is one that Kubernetes sets."""
    return any(names.fullmatch(name) and values.fullmatch(value) for names, values in _SHAPES)
