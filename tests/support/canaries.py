"""Planted secrets, and a search for them in every encoding."""

import base64
import hashlib
import secrets
from collections.abc import Generator
from dataclasses import dataclass, field

_HASHES = ("md5", "sha1", "sha256", "sha512")


def word() -> str:
    """A random word of 64 bits, so that it cannot occur by chance."""
    return "c" + secrets.token_hex(8)


@dataclass
class Canaries:
    """Planted secrets by name; `guessable` ones must not occur as a fast hash either."""

    planted: dict[str, bytes] = field(default_factory=dict[str, bytes])
    guessable: set[str] = field(default_factory=set[str])

    def plant(
        self, what: str, secret: str | bytes | None = None, *, guessable: bool = False
    ) -> str:
        """Record a secret, by default a new word, and return it as text."""
        secret = word() if secret is None else secret
        assert what not in self.planted
        self.planted[what] = secret.encode() if isinstance(secret, str) else secret
        if guessable:
            self.guessable.add(what)
        return secret if isinstance(secret, str) else ""

    def found_in(self, place: bytes, *, shown: frozenset[str] = frozenset()) -> list[str]:
        """The secrets in some bytes with their encodings; those in `shown` are allowed."""
        return [
            f"{what} ({form})"
            for what, secret in self.planted.items()
            if what not in shown
            for form, written in self._forms(what, secret)
            if written in place
        ]

    def _forms(self, what: str, secret: bytes) -> Generator[tuple[str, bytes]]:
        yield from forms(secret)
        if what in self.guessable:
            for name in _HASHES:
                hashed = hashlib.new(name, secret, usedforsecurity=False).digest()
                for form, written in forms(hashed):
                    if "utf-16" not in form:
                        yield f"{name}, {form}", written


def forms(secret: bytes) -> Generator[tuple[str, bytes]]:
    """The encodings of a secret."""
    yield "as it is", secret
    yield "hex", secret.hex().encode()
    yield "HEX", secret.hex().upper().encode()
    for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
        for offset in range(3):
            # What stands before and after it decides the characters at either end.
            written = encode(bytes(offset) + secret)
            begins = 0 if offset == 0 else 4
            ends = len(written) - (4 if (offset + len(secret)) % 3 else 0)
            yield f"{name}, {offset} bytes on", written[begins:ends]
    try:
        text = secret.decode()
    except UnicodeDecodeError:
        return
    for encoding in ("utf-16-le", "utf-16-be"):
        yield encoding, text.encode(encoding)
