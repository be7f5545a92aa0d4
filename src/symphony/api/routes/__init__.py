"""The routes of the service: one module per noun, each with its request and response schemas.

A module registers its routers by defining them: `public_routes` for routes without a token,
`routes` for all others.
"""

from importlib import import_module
from pkgutil import iter_modules

from fastapi import APIRouter

from symphony.api.routing import PREFIX

_NAMES = ("public_routes", "routes")


def routers() -> list[APIRouter]:
    """The routers of all modules by the modules' names, those of the API before pages and checks.

    The order matters for speed only: routes are tried one after the other.

    Raises: LookupError when a module defines no router.
    """
    found: list[APIRouter] = []
    for module in sorted(each.name for each in iter_modules(__path__)):
        attributes = vars(import_module(f"{__name__}.{module}"))
        own = [attributes[name] for name in _NAMES if isinstance(attributes.get(name), APIRouter)]
        if not own:
            raise LookupError(f"{__name__}.{module} defines neither {' nor '.join(_NAMES)}")
        found += own
    return sorted(found, key=lambda router: not router.prefix.startswith(PREFIX))
