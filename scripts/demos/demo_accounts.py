"""Accounts: what an operator does with `symphony user` and `symphony token`."""

import os
import shlex
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import httpx

from scripts.demos.support.demo_server import running_server
from scripts.demos.support.pauses import fail
from scripts.demos.support.stage import Stage, perform
from scripts.support.service_process import SYMPHONY

FIRST, SECOND = "correct horse battery staple", "a staple, a battery and a horse"
# The same password from two keyboards: "\u00fc" is one character, or two.
COMPOSED, DECOMPOSED = "gr\u00fcne \u00c4pfel", "gru\u0308ne A\u0308pfel"


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator who types commands beside a running service."""

    stage: Stage
    data: Path

    def types(self, command: str, *, password: bytes = b"") -> "subprocess.CompletedProcess[str]":
        """Run a command, show it with its output, and return both."""
        done = subprocess.run(  # noqa: S603 - our own program
            [SYMPHONY, *shlex.split(command)],
            env=os.environ | {"SYMPHONY_DATA_DIR": str(self.data)},
            input=password,
            capture_output=True,
            timeout=60,
            check=False,
        )
        output, errors = done.stdout.decode(), done.stderr.decode()
        piped = "cat password.txt | " if password else ""
        self.stage.run(f"{piped}symphony {command}", output + errors)
        return subprocess.CompletedProcess(done.args, done.returncode, output, errors)

    def must(self, command: str, *, password: bytes = b"") -> str:
        """Run a command that succeeds, show it, and return its output."""
        done = self.types(command, password=password)
        self.stage.expect("exit status 0", done.returncode == 0)
        return done.stdout


def story(stage: Stage) -> None:
    with tempfile.TemporaryDirectory(prefix="symphony-demo-") as temporary:
        data = Path(temporary, "data")
        with running_server(data=data) as server, server.client() as client:
            operator = Operator(stage, data)
            create(operator, client)
            lock_out(operator, client)
            tokens(operator, client)
            common_passwords(operator, client)
            stolen_tokens(operator, client)
            delete(operator, client)
        wrong_options(operator)


def create(operator: Operator, client: httpx.Client) -> None:
    stage = operator.stage
    stage.step("The operator creates a user while the service runs")
    ada = "user create ada --email ada@example.org --password-stdin"
    operator.must(ada, password=f"{FIRST}\n".encode())
    stage.say("Eve signs up herself, with a request.")
    eve = {"username": "eve", "email": "eve@example.org", "password": FIRST}
    client.post("/api/v1/user-profiles", json=eve).raise_for_status()
    listed = operator.must("user list")
    names = [line.split()[0] for line in listed.splitlines()]
    stage.expect("both are listed", names == ["USERNAME", "ada", "eve"])
    taken = operator.types("user create ADA --email other@example.org")
    stage.why("a name that is taken is refused before anybody types a password twice.")
    stage.expect("refused without a prompt", taken.returncode == 1 and not taken.stdout)


def lock_out(operator: Operator, client: httpx.Client) -> None:
    stage = operator.stage
    stage.step("A user who has to wait gets a new password")
    fail(lambda _: sign_in(client, "ada", "a wrong guess"), 6)
    stage.exchange(sign_in(client, "ada", "a wrong guess"), "code", "detail")
    stage.expect("even the right password is refused", status(client, "ada", FIRST) == 429)
    file = b"\xef\xbb\xbf" + f"{DECOMPOSED}\r\n".encode()
    operator.must("user set-password ada --password-stdin", password=file)
    stage.expect(
        "the pause is over: the new password works", status(client, "ada", COMPOSED) == 200
    )
    stage.expect("also from another keyboard", status(client, "ada", DECOMPOSED) == 200)
    stage.expect("the old one does not", status(client, "ada", FIRST) == 401)
    stage.why(
        "the user can sign in at once. One keyboard sends \u00fc as one character, another as u and"
        " two dots; some editors begin a file with a byte order mark, and end its lines with two"
        " characters. Nobody sees or types any of this, so it is no part of the password."
    )


def tokens(operator: Operator, client: httpx.Client) -> None:
    stage = operator.stage
    stage.step("The operator finds and revokes the API token of a lost laptop")
    create = "token create ada --name laptop --scope read --scope write --expires-in-days 90"
    token = operator.must(create).strip()
    stage.expect("the token works", me(client, token) == 200)
    stage.say("The thief tries to create a token that lasts, and gets one like it.")
    headers = {"Authorization": f"Bearer {token}"}
    wanted = {"name": "thief", "scopes": ["read"], "expires_at": "2099-01-01T00:00:00Z"}
    later = client.post("/api/v1/api-tokens", json=wanted, headers=headers)
    stage.exchange(later, "code", "detail")
    stage.expect("a token that expires later is refused", later.status_code == 403)
    del wanted["expires_at"]
    child = client.post("/api/v1/api-tokens", json=wanted, headers=headers)
    stage.exchange(child.raise_for_status(), "name", "scopes", "expires_at")
    stolen = child.json()["token"]
    stage.expect("it expires with the laptop's", child.json()["expires_at"] is not None)
    listed = operator.must("token list ada")
    stage.expect("the list contains no token", token not in listed and stolen not in listed)
    operator.must(f"token revoke {listed.splitlines()[1].split()[0]}")
    stage.why(
        "only a hash of a token is stored, so the list shows its id, and that revokes it, with all"
        " tokens that it has created: a thief keeps none."
    )
    stage.expect("the token is refused at once", me(client, token) == 401)
    stage.expect("and so is the one that it created", me(client, stolen) == 401)


def common_passwords(operator: Operator, client: httpx.Client) -> None:
    stage = operator.stage
    stage.step("Nobody gets a password that is guessed first")
    for password in ("Password1", "        ", "Charles_B", "charles@example.org"):
        body = {"username": "charles_b", "email": "charles@example.org", "password": password}
        refused = client.post("/api/v1/user-profiles", json=body)
        stage.exchange(refused, "errors")
        codes = [each["code"] for each in refused.json()["errors"]]
        stage.expect("refused as too common", codes == ["password-too-common"])
    command = "user create charles_b --email charles@example.org --password-stdin"
    done = operator.types(command, password=b"iloveyou\n")
    stage.expect("also on the command line", done.returncode == 2)
    stage.why("16,000 passwords are in the package, so this works without a network.")


def stolen_tokens(operator: Operator, client: httpx.Client) -> None:
    stage = operator.stage
    stage.step("A thief has an access token and an API token of eve")
    stolen = sign_in(client, "eve", FIRST).json()["access_token"]
    scopes = {"name": "laptop", "scopes": ["read", "write"]}
    created = client.post("/api/v1/api-tokens", json=scopes, headers=bearer(stolen))
    program = created.json()["token"]
    profile = client.get("/api/v1/user-profiles/me", headers=bearer(stolen)).json()
    path = f"/api/v1/user-profiles/{profile['id']}"

    new_address = {"email": "thief@example.org"}
    refused = client.patch(path, json=new_address, headers=bearer(program))
    stage.exchange(refused, "code", "detail")
    stage.expect("another address requires the password", refused.status_code == 422)
    refused = client.delete(path, headers=bearer(program))
    stage.exchange(refused, "code", "detail")
    stage.expect("so does the deletion, as a recent sign-in", refused.status_code == 403)

    stage.say("Eve notices, signs in, and changes her password.")
    own = sign_in(client, "eve", FIRST).json()["access_token"]
    change = {"password": SECOND, "current_password": FIRST, "revoke_api_tokens": True}
    changed = client.patch(path, json=change, headers=bearer(own))
    stage.expect("changed", changed.status_code == 200)
    refused = client.get(path, headers=bearer(stolen))
    stage.exchange(refused, "code", "detail")
    stage.expect("the stolen access token is refused at once", refused.status_code == 401)
    stage.expect("so is the API token", me(client, program) == 401)
    stage.expect("so is her own: she signs in again", me(client, own) == 401)
    again = sign_in(client, "eve", SECOND).json()["access_token"]
    stage.expect("with the new password", me(client, again) == 200)

    stage.say("If she cannot sign in any more, the operator does the same for her.")
    reset = "user set-password eve --revoke-tokens --password-stdin"
    operator.must(reset, password=f"{FIRST}\n".encode())
    stage.expect("all tokens are refused, without a restart", me(client, again) == 401)
    stage.why("a token contains the number of the password, which each request compares.")


def delete(operator: Operator, client: httpx.Client) -> None:
    stage = operator.stage
    stage.step("A user with workspaces is deleted only on request")
    token = sign_in(client, "ada", COMPOSED).json()["access_token"]
    headers = bearer(token)
    profile = client.get("/api/v1/user-profiles/me", headers=headers).json()
    path = f"/api/v1/user-profiles/{profile['id']}/workspaces"
    client.post(path, json={"name": "Thesis"}, headers=headers).raise_for_status()
    refused = operator.types("user delete ada --yes")
    stage.expect("refused, with what would be lost", refused.returncode == 1)
    undecided = operator.types("user delete ada --force")
    stage.expect("nothing is deleted without a confirmation", undecided.returncode == 1)
    operator.must("user delete ada --force --yes")
    stage.why("what cannot be undone needs two decisions; a script states both.")
    stage.expect("ada cannot sign in", status(client, "ada", COMPOSED) == 401)
    stage.expect("eve still can", status(client, "eve", FIRST) == 200)


def wrong_options(operator: Operator) -> None:
    stage = operator.stage
    stage.step("A wrong command line is one line, with status 2 and what is allowed")
    for command in (
        "serve --port 99999",
        "token create eve --name ci --scope admin",
        "user set-pasword eve",
    ):
        done = operator.types(command)
        is_line = done.stderr.count("\n") == 1 and not done.stdout
        stage.expect("status 2, one line", done.returncode == 2 and is_line)
    stage.why("a person sees what to type instead, and a script can rely on the status.")


def sign_in(client: httpx.Client, name: str, password: str) -> httpx.Response:
    form = {"username": name, "password": password}
    return client.post("/api/v1/auth/token", data=form)


def status(client: httpx.Client, name: str, password: str) -> int:
    return sign_in(client, name, password).status_code


def me(client: httpx.Client, token: str) -> int:
    return client.get("/api/v1/user-profiles/me", headers=bearer(token)).status_code


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


if __name__ == "__main__":
    perform(story)
