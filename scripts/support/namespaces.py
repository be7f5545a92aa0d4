"""Network namespaces (network_namespaces(7)), in which a process has a network of its own."""


def inside(namespace: str) -> tuple[str, ...]:
    """What stands before a command that is to run in a network namespace, if one is given."""
    return ("nsenter", f"--net={namespace}") if namespace else ()
