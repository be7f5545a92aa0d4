"""No object says of itself what it is to keep to itself: logs can have that."""

import inspect
import pkgutil
from collections.abc import Generator
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any

from pydantic import BaseModel

import symphony

SECRETS = {
    "access_token",
    "token",
    "client_secret",
    "content",
    "data",
    "new",
    "old",
    "passphrase",
    "password",
    "prefix",
    "session",
    "wrapped",
}
SECRETS_OF_VAULTS = {"key", *SECRETS}
TEXTS = (str, bytes, str | None, bytes | None)
CANARY = "a horse in the repr"


def classes() -> Generator[type[Any]]:
    for module in pkgutil.walk_packages(symphony.__path__, "symphony."):
        for _, found in inspect.getmembers(import_module(module.name), inspect.isclass):
            if found.__module__ == module.name:
                yield found


def secrets_of(kind: type[Any], names: set[str]) -> set[str]:
    """Of its fields the texts that nobody is to see."""
    known = names & (SECRETS_OF_VAULTS if "vault" in kind.__module__ else SECRETS)
    types = dict[str, Any]()
    for each in reversed(kind.__mro__):
        types |= inspect.get_annotations(each)
    return {name for name in known if getattr(types[name], "__origin__", types[name]) in TEXTS}


def test_no_secret_is_in_the_repr_of_what_carries_it() -> None:
    found, telling = dict[str, set[str]](), dict[str, set[str]]()
    for kind in classes():
        if issubclass(kind, BaseModel):
            names = set(kind.model_fields)
            made = kind.model_construct()
        elif is_dataclass(kind):
            names = {each.name for each in fields(kind)}
            made = object.__new__(kind)
        else:
            continue
        carried = secrets_of(kind, names)
        for name in names:
            object.__setattr__(made, name, CANARY if name in carried else None)
        if carried:
            found[kind.__name__] = carried
        if CANARY in repr(made):
            telling[kind.__name__] = carried
    assert telling == {}
    assert found.keys() >= {"EntryVersion", "UnlockedVaultResponse", "VaultCreate", "PutEntry"}
