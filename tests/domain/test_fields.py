"""The rules of single fields: what each accepts, what it returns, and why it refuses."""

import string
import sys
import unicodedata
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symphony.domain import fields
from symphony.domain.errors import RuleBroken
from symphony.domain.passwords.passwords import password
from tests.domain.refusals import Rule, refusal

CONTROL_CHARACTERS = [chr(code) for code in (*range(0x01, 0x20), *range(0x7F, 0xA0))]
TEXT_RULES: list[Rule] = [
    fields.name,
    fields.folder_name,
    fields.description,
    fields.path,
    fields.remote_url,
    fields.username,
    fields.email,
    password,
]
# One ligature, which compatibility normalisation turns into 18 letters of 33 bytes.
LIGATURE = "\ufdfa"


@pytest.mark.parametrize("rule", TEXT_RULES)
@pytest.mark.parametrize("value", [1, True, 1.5, b"bytes", ["a"], {"a": 1}])
def test_text_is_a_string_and_nothing_that_could_become_one(rule: Rule, value: object) -> None:
    assert refusal(rule, value) == "string-expected"


@pytest.mark.parametrize("rule", TEXT_RULES)
@pytest.mark.parametrize("value", ["\0", "\0name", "na\0me", "/name\0"])
def test_nul_is_refused_wherever_it_stands(rule: Rule, value: str) -> None:
    assert refusal(rule, value) == "nul-character"


@pytest.mark.parametrize("rule", TEXT_RULES)
@pytest.mark.parametrize("value", ["\ud800", "/a\udfffb", "\udc00\ud800", "name\ud83d"])
def test_lone_surrogates_are_refused_wherever_they_stand(rule: Rule, value: str) -> None:
    assert refusal(rule, value) == "lone-surrogate"


@pytest.mark.parametrize("rule", [rule for rule in TEXT_RULES if rule is not fields.description])
def test_only_what_is_nullable_may_be_none(rule: Rule) -> None:
    if rule is fields.remote_url:
        assert rule(None) is None
    else:
        assert refusal(rule, None) == "string-expected"


@pytest.mark.parametrize("rule", [fields.name, fields.folder_name])
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a", "a"),
        ("  Thesis  ", "Thesis"),
        ("\u00a0\u3000Thesis\u2003", "Thesis"),
        ("two  words", "two  words"),
        ("a" * 255, "a" * 255),
        (" " + "a" * 255 + " ", "a" * 255),
        ("\U0001f3bb" * 255, "\U0001f3bb" * 255),
        ("Straße", "Straße"),
        ("e\u0301", "e\u0301"),
        ("…", "…"),
        (".hidden", ".hidden"),
        (LIGATURE * 78, LIGATURE * 78),
    ],
)
def test_names_are_kept_as_written_but_for_spaces_around_them(
    rule: Rule, given: str, kept: str
) -> None:
    assert rule(given) == kept


@pytest.mark.parametrize("rule", [fields.name, fields.folder_name])
@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "too-short"),
        ("   ", "too-short"),
        ("\u00a0\u2003", "too-short"),
        ("a" * 256, "too-long"),
        ("\U0001f3bb" * 256, "too-long"),
        (LIGATURE * 79, "too-long"),
        (LIGATURE * 255, "too-long"),
    ],
)
def test_names_have_1_to_255_characters_and_a_key_that_fits_an_index(
    rule: Rule, value: str, code: str
) -> None:
    assert refusal(rule, value) == code


@pytest.mark.parametrize("rule", [fields.name, fields.folder_name, fields.path])
@pytest.mark.parametrize("form", ["{}/name", "/na{}me", "/name{}"])
def test_a_control_character_is_refused_wherever_it_stands(rule: Rule, form: str) -> None:
    codes = {refusal(rule, form.format(character)) for character in CONTROL_CHARACTERS}
    assert codes == {"control-character"}


@pytest.mark.parametrize(
    "value",
    [".", "..", " .. ", "a/b", "/", "a\\b", "<", ">", "c:", 'say "x"', "a|b", "what?", "*"],
)
def test_a_folder_name_is_refused_where_a_name_is_not(value: str) -> None:
    assert fields.name(value) == value.strip()
    assert refusal(fields.folder_name, value) == "not-a-folder-name"


@pytest.mark.parametrize("value", [None, "", " x ", "a\tb\r\nc\n", "a" * 10_000, "\u2028"])
def test_a_description_is_kept_as_written(value: str | None) -> None:
    assert fields.description(value) == value


@pytest.mark.parametrize(
    ("value", "code"), [("a" * 10_001, "too-long"), ("bell \a", "control-character")]
)
def test_a_description_may_be_refused(value: str, code: str) -> None:
    assert refusal(fields.description, value) == code


@pytest.mark.parametrize(
    "value", ["/", "/srv/git", "~/", "~/dev/x", "/a b", "/ü", "/a\\b", "/" + "a" * 4095]
)
def test_a_path_is_absolute_or_in_the_home_folder(value: str) -> None:
    assert fields.path(value) == value


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "not-absolute"),
        ("~", "not-absolute"),
        ("~ada/x", "not-absolute"),
        ("dev/x", "not-absolute"),
        ("./x", "not-absolute"),
        (" /x", "not-absolute"),
        ("C:\\x", "not-absolute"),
        ("-x", "not-absolute"),
        ("/" + "a" * 4096, "too-long"),
    ],
)
def test_a_path_may_be_refused(value: str, code: str) -> None:
    assert refusal(fields.path, value) == code


@pytest.mark.parametrize("value", ["ada", "Ada_Lovelace", "a1_", "a" * 64])
def test_a_username_is_kept_as_written(value: str) -> None:
    assert fields.username(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        "ab",
        "a" * 65,
        "1ada",
        "_ada",
        "ada-l",
        "ada l",
        " ada",
        "ada\n",
        "adá",
        "\u0430da",
        "ada\uff11",
    ],
)
def test_a_username_is_3_to_64_ascii_characters_and_begins_with_a_letter(value: str) -> None:
    assert refusal(fields.username, value) == "not-a-username"


@pytest.mark.parametrize(
    "value",
    [
        "ada@example.org",
        "Ada.Lovelace+x@Example.ORG",
        "o'hara_{x}@mail.example.org",
        "a@b.cd",
        "josé@exämple.org",
        "a" * 64 + "@example.org",
        "a@" + "b" * 63 + ".org",
    ],
)
def test_an_email_is_kept_as_written(value: str) -> None:
    assert fields.email(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        "ada",
        "ada@",
        "@example.org",
        "ada@localhost",
        "ada@@example.org",
        "ada@b@example.org",
        "Ada <ada@example.org>",
        "<ada@example.org>",
        "ada@example.org, eve@example.org",
        "ada@example.org (x)",
        '"a b"@example.org',
        ".ada@example.org",
        "ada.@example.org",
        "a..b@example.org",
        "ada@example..org",
        "ada@example.org.",
        "ada@-example.org",
        "ada@example-.org",
        "ada@exa_mple.org",
        "ada@[192.0.2.1]",
        "a b@example.org",
        " ada@example.org",
        "ada@example.org ",
        "a" * 65 + "@example.org",
        "é" * 33 + "@example.org",
        "a@" + "b" * 64 + ".org",
    ],
)
def test_an_email_is_one_mailbox(value: str) -> None:
    assert refusal(fields.email, value) == "not-an-email"


def test_an_email_has_at_most_254_characters() -> None:
    labels = ".".join(["b" * 61] * 4)
    longest = f"a@{labels}.cdef"
    assert len(longest) == 254
    assert fields.email(longest) == longest
    assert refusal(fields.email, f"a@{labels}.cdefg") == "too-long"


@pytest.mark.parametrize(
    "value", ["ab" * 4, "ab" * 512, "pass word", "\U0001f3bb\U0001f3b9" * 4, "\t " * 4]
)
def test_a_password_is_kept_as_written(value: str) -> None:
    assert password(value) == value


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("u\u0308ber den Wolken", "\u00fcber den Wolken"),
        ("\u212bngstro\u0308m und mehr", "\u00c5ngstr\u00f6m und mehr"),
        ("pass\u00a0word\u2003\u3000", "pass word  "),
        ("\ufb01ligree and more", "\ufb01ligree and more"),  # NFKC would make it two letters
    ],
)
def test_a_password_is_the_same_from_every_keyboard(typed: str, kept: str) -> None:
    assert password(typed) == kept
    assert password(kept) == kept


@pytest.mark.parametrize("value", ["", "a" * 7, "a" * 1025, "\U0001f3bb" * 7, "e\u0301" * 7])
def test_a_password_has_8_to_1024_characters(value: str) -> None:
    assert refusal(password, value) == "password-length"


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        datetime(2026, 1, 2, tzinfo=timezone(timedelta(0))),
    ],
)
def test_times_in_utc_are_kept(value: datetime) -> None:
    assert fields.utc_time(value) == value


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 1, 2),  # noqa: DTZ001 - naive, which is what is refused
        datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=1))),
        datetime(2026, 1, 2, tzinfo=UTC).date(),
        "2026-01-02T00:00:00Z",
        0,
        None,
    ],
)
def test_naive_and_local_times_are_refused_and_not_guessed(value: object) -> None:
    assert refusal(fields.utc_time, value) == "not-utc"


@pytest.mark.parametrize("value", [0, -1, True, 1.0, "1", None])
def test_a_version_is_a_whole_number_from_1(value: object) -> None:
    assert fields.positive(1) == 1
    assert refusal(fields.positive, value) == "not-positive"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Thesis", "THESIS"),
        ("Straße", "STRASSE"),
        ("é", "e\u0301"),
        ("ﬁle", "FILE"),
        ("\uff21\uff11", "a1"),
        ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("㎒", "MHz"),
        ("ÅNGSTRÖM", "a\u030angstro\u0308m"),
    ],
)
def test_names_that_differ_in_case_or_form_only_have_one_key(one: str, other: str) -> None:
    assert fields.comparison_key(one) == fields.comparison_key(other)


@pytest.mark.parametrize(("one", "other"), [("resume", "résumé"), ("a b", "ab"), ("o", "ø")])
def test_other_names_have_another_key(one: str, other: str) -> None:
    assert fields.comparison_key(one) != fields.comparison_key(other)


@pytest.mark.long
def test_control_characters_are_those_that_unicode_calls_so() -> None:
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    control = [each for each in everything if unicodedata.category(each) == "Cc"]
    found = fields.CONTROL_CHARACTER.findall(everything)  # no rule takes so long a text
    assert found == control
    in_lines = fields._CONTROL_CHARACTER_IN_LINES.findall(everything)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the same
    assert in_lines == [each for each in control if each not in "\t\n\r"]


@pytest.mark.long
@given(st.text())
def test_a_key_is_its_own_key(text: str) -> None:
    key = fields.comparison_key(text)
    assert fields.comparison_key(key) == key


@pytest.mark.long
@given(st.text(), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_every_form_of_a_text_has_the_same_key(text: str, form: str) -> None:
    normalised = unicodedata.normalize(form, text)  # pyright: ignore[reportArgumentType] - one of the four
    assert fields.comparison_key(normalised) == fields.comparison_key(text)


# Any text, and text made of what the rules look for, so that many are accepted too.
ANY_TEXT = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=[])),
    st.text(alphabet=string.ascii_letters + "@./:~- _", max_size=80),
    st.builds("{}{}".format, st.sampled_from(["/", "~/", "https://h/", "g@h:", "a@b."]), st.text()),
)


@pytest.mark.long
@pytest.mark.parametrize("rule", TEXT_RULES)
@given(value=ANY_TEXT)
def test_any_text_is_refused_or_kept_in_a_form_that_is_kept_again(rule: Rule, value: str) -> None:
    try:
        kept = rule(value)
    except RuleBroken:
        return
    assert rule(kept) == kept
    assert isinstance(kept, str)
    kept.encode()  # raises where there is no UTF-8 for it
