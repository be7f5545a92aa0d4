"""The rules of new passwords (NIST SP 800-63B-4, section 3.1.1.2; OWASP ASVS 5.0, 6.2.4)."""

import unicodedata
from collections.abc import Callable

from symphony.domain import fields as rules
from symphony.domain.errors import RuleBroken
from symphony.domain.fields import comparison_key, opaque_text
from symphony.domain.passwords.common_passwords import is_common

MIN_PASSWORD = 8
MAX_PASSWORD = 1024


def password(value: object) -> str:
    """8 to 1,024 characters of any kind, in one Unicode form; not one of the common passwords.

    Returns the form to hash: the one that every keyboard produces for these characters.
    """
    given = rules.text(value)
    normalized = opaque_text(given) if len(given) <= MAX_PASSWORD else ""
    if len(normalized) < MIN_PASSWORD:
        raise RuleBroken(
            "password-length", f"Must have {MIN_PASSWORD} to {MAX_PASSWORD:,} characters."
        )
    compared = comparison_key(normalized)
    if is_common(compared):
        raise _too_common("one of the most common passwords")
    if _is_one_character(compared):
        raise _too_common("one repeated character")
    return normalized


def new_password(username: str | None, email: str | None) -> Callable[[object], str]:
    """The rule `password` for a user with these names, of which the password must be none.

    The names are the user name, the e-mail address, and the part of it before the @. A password
    that contains one of them is accepted.
    """
    names = (username, email, email and email.rpartition("@")[0])

    def rule(value: object) -> str:
        normalized = password(value)
        if comparison_key(normalized) in {comparison_key(name) for name in names if name}:
            raise _too_common("the user name, the e-mail address or the part of it before the @")
        return normalized

    return rule


def password_forms(given: str) -> tuple[str, ...]:
    """The forms of a password to compare with a hash, the current one first.

    Hashes of passwords that were set before passwords were normalized are of the form as typed.
    """
    if len(given) > MAX_PASSWORD:
        return (given,)  # no password: not worth the time that composing it takes
    return tuple(dict.fromkeys((opaque_text(given), given)))


def _is_one_character(compared: str) -> bool:
    """Return whether a text repeats one character, which can consist of a letter and marks."""
    end = 1
    while end < len(compared) and unicodedata.category(compared[end]).startswith("M"):
        end += 1
    return compared == compared[:end] * (len(compared) // end)


def _too_common(kind: str) -> RuleBroken:
    return RuleBroken("password-too-common", f"Must not be {kind}; choose another password.")
