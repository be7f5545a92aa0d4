"""Names of files that look like configuration or secrets, which are seldom in git.

The list is in docs/api.md ("Disposal"), for the users who rely on it.
"""

import re

_NAMES = (
    # configuration of one machine or person
    r"\.env.*",
    r".*\.env",
    r"local\.settings\..*",
    r"local\.properties",
    r"local_settings\..*",
    r"settings\.local\..*",
    r"appsettings\..*\.json",
    r"wp-config\.php",
    r"config\.local\..*",
    r".*\.local",
    r".*\.local\.(?:json|ya?ml|toml|ini|conf|cfg|php|rb|py|js|ts|xml|properties)",
    r"docker-compose\.override\.ya?ml",
    r"compose\.override\.ya?ml",
    # passwords and tokens
    r"\.npmrc",
    r"\.yarnrc(?:\.yml)?",
    r"\.pypirc",
    r"[._]netrc",
    r"\.pgpass",
    r"\.my\.cnf",
    r"\.htpasswd",
    r"\.git-credentials",
    r"\.dockercfg",
    r"\.dockerconfigjson",
    r"\.?credentials?.*",
    r"\.?secrets?(?:[^a-z].*)?",
    r".*[._-]secrets?(?:\.[^.]*)?",
    r"client_secret.*",
    r"kubeconfig.*",
    r".*\.kubeconfig",
    r"service[-_]?account.*\.json",
    r".*\.ovpn",
    r"\.dev\.vars.*",
    r"\.vault[-_]pass.*",
    r"auth\.json",
    r"\.sentryclirc",
    r".*firebase-adminsdk.*\.json",
    r"google-services\.json",
    r"\.s3cfg",
    r"\.boto",
    r"rclone\.conf",
    r"tokens?\.(?:txt|json)",
    r"wallet\.dat",
    # keys and certificates
    r".*\.(?:pem|key|p8|p12|pfx|jks|keystore|ppk|gpg|pgp|asc|age|der|crt|cer|mobileprovision)",
    r"id_(?:rsa|dsa|ecdsa|ed25519)(?:[^a-z].*)?",
    r".*\.(?:kdbx?|agilekeychain|opvault)",
    # the state of what exists elsewhere
    r".*\.tfvars(?:\.json)?",
    r".*\.tfstate(?:\..*)?",
    # databases
    r".*\.(?:sqlite3?|db3?|mdb)",
    r"(?:.*[._-])?dump\.sql(?:\..*)?",
)
_PATTERN = re.compile("|".join(f"(?:{each})" for each in _NAMES))
# What compilers derive, and a cache of pictures.
_DERIVED = (".pyc", ".pyo", ".class", ".o", ".map", "thumbs.db")
_DIRECTORIES = {".ssh", ".aws", ".gnupg", ".kube", ".azure", ".secrets", "secrets", "credentials"}


def looks_secret(name: str) -> bool:
    """Return whether a file of this name, in any case, may be configuration or a secret."""
    lower = name.lower()
    return _PATTERN.fullmatch(lower) is not None and not lower.endswith(_DERIVED)


def holds_secrets(directory: str) -> bool:
    """Return whether all files in a directory of this name count."""
    return directory.lower() in _DIRECTORIES
