"""New passwords: not a common one, no repeated character, and none of the user's own names."""

import pytest

from symphony.domain.errors import RuleBroken
from symphony.domain.fields import comparison_key
from symphony.domain.passwords import common_passwords
from symphony.domain.passwords.passwords import MIN_PASSWORD, new_password, password
from tests.domain.refusals import refusal

OF_ADA = new_password("ada_lovelace", "countess@example.org")


@pytest.mark.parametrize(
    "value",
    [
        *("password", "Password1", "QWERTYuiop", "12345678", "iloveyou", "P@ssw0rd", "trustno1"),
        "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44",
        *("        ", "\u00a0\u3000" * 4, "\t" * 8, "AaAaAaAa", "7" * 1024, "\U0001f3bb" * 8),
        # A character of two code points, which no single one can replace.
        *("e\u0301" * 8, "x\u0303" * 9, "\u2764\ufe0f" * 8),
        *("ada_lovelace", "ADA_Lovelace", "\uff41da_lovelace"),
        *("countess", "Countess", "countess@example.org", "COUNTESS@EXAMPLE.ORG"),
    ],
)
def test_a_password_that_is_too_common_is_refused(value: str) -> None:
    assert refusal(OF_ADA, value) == "password-too-common"


@pytest.mark.parametrize(
    "value",
    [
        *("my password 1", "password of ada", "ada_lovelace's", "x.countess", "example.org"),
        *("abababab", "aaaaaaab", "e\u0301e\u0300" * 4, "correct horse battery staple"),
    ],
)
def test_a_password_that_only_contains_a_common_one_or_a_name_is_accepted(value: str) -> None:
    assert OF_ADA(value)


def test_names_that_are_not_known_are_not_compared() -> None:
    assert new_password(None, None)("ada_lovelace") == "ada_lovelace"


def test_the_list_has_over_10_000_passwords_that_the_length_allows_in_the_form_compared() -> None:
    listed = common_passwords._lines().decode().strip("\n").split("\n")  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the list itself
    assert 10_000 <= len(listed) <= 20_000
    assert listed == sorted(set(listed))
    for each in listed:
        assert comparison_key(each) == each
        assert len(each) >= MIN_PASSWORD
    # The first, the last, and some between them, are found as whole lines only.
    for each in (listed[0], listed[-1], *listed[::1000]):
        with pytest.raises(RuleBroken, match="most common"):
            password(each)
    assert password("pass\nword 1")
