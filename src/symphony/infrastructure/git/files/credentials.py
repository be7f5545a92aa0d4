"""The URLs of remotes in configuration files, without credentials."""

from symphony.domain.git import credentials
from symphony.infrastructure.git.files.decoding import printable


def without_credentials(url: str) -> str:
    """Return the URL as valid text, without anything that may be a secret."""
    return credentials.without_credentials(printable(url))
