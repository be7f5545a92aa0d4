"""The routes of the service: one module per noun, each with its request and response schemas.

A module registers its routers by defining them: `public_routes` for routes without a token,
`routes` for all others. Their tag must be one of `symphony.api.openapi.document.TAGS`.
"""

from importlib import import_module
from pkgutil import iter_modules

from fastapi import APIRouter

from symphony.api.openapi.document import TAGS

_NAMES = ("public_routes", "routes")


def routers() -> list[APIRouter]:
    """Return the routers of all modules in the order of their tags, then those without a tag.

    Routes are tried one after the other, so the order determines how quickly a route is found.

    Raises: LookupError when a module defines no router, or one with an unknown tag.
    """
    found: list[APIRouter] = []
    for module in sorted(each.name for each in iter_modules(__path__)):
        attributes = vars(import_module(f"{__name__}.{module}"))
        own = [attributes[name] for name in _NAMES if isinstance(attributes.get(name), APIRouter)]
        if not own:
            raise LookupError(f"{__name__}.{module} defines neither {' nor '.join(_NAMES)}")
        found += own
    return sorted(found, key=_position)


def _position(router: APIRouter) -> int:
    order = list(TAGS)
    if not router.tags:
        return len(order)
    (tag,) = router.tags
    if tag not in order:
        raise LookupError(f"the tag {tag!r} is not described in symphony.api.openapi.document")
    return order.index(tag)
