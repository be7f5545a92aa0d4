"""Files that look like configuration or secrets, by their names."""

import pytest

from symphony.infrastructure.git.disposal.secret_files import holds_secrets, looks_secret

SECRET = (
    *(".env", ".env.local", ".envrc", "production.env", ".ENV", "local.settings.json"),
    *("local.properties", "local_settings.py", "settings.local.json", "config.local.php"),
    *("appsettings.Development.json", "wp-config.php", "docker-compose.override.yml"),
    *(".npmrc", ".yarnrc.yml", ".pypirc", ".netrc", "_netrc", ".pgpass", ".my.cnf", ".htpasswd"),
    *(".git-credentials", ".dockerconfigjson", "credentials", "credentials.json", ".credentials"),
    *("secrets.yaml", "SECRETS.YML", "secrets.py", "secret.txt", "my-secrets.toml"),
    *("client_secret_42.json", "kubeconfig", "kubeconfig.yaml", "prod.kubeconfig"),
    *("service-account-prod.json", "office.ovpn", "server.pem", "tls.key", "AuthKey.p8", "a.p12"),
    *("a.pfx", "release.jks", "release.keystore", "a.ppk", "a.gpg", "id_rsa", "id_ed25519"),
    *("id_rsa.old", "safe.kdbx", "prod.tfvars", "prod.auto.tfvars.json", "terraform.tfstate"),
    *("terraform.tfstate.backup", "db.sqlite3", "dev.sqlite", "app.db", "dump.sql.gz"),
    *(".dev.vars", ".vault_pass", "auth.json", ".sentryclirc", "x-firebase-adminsdk-1.json"),
    *("google-services.json", ".s3cfg", ".boto", "rclone.conf", "token.txt", "wallet.dat"),
)
OTHER = (
    *("main.py", "environment.ts", "README.md", "secretary.txt", "credentials.cpython-311.pyc"),
    *("Thumbs.db", "package.json", "settings.json", "config.json", "keyboard.ts", "monkey.txt"),
    *(
        "id_card.png",
        "author.json",
        "tokenizer.json",
        "schema.sql",
        "notes.local-only.txt",
        "Credentials.class",
    ),
)


@pytest.mark.parametrize("name", SECRET)
def test_a_name_of_configuration_or_secrets_is_recognized(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize("name", OTHER)
def test_other_names_are_not(name: str) -> None:
    assert not looks_secret(name)


def test_all_files_of_some_directories_count() -> None:
    assert holds_secrets(".SSH")
    assert not holds_secrets("src")
