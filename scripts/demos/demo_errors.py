"""Errors: a tour of everything that the API refuses, and what it tells when it does."""

from typing import Any

import httpx
from caller import API, PASSWORD, User, problem, sign_up
from real_server import running_server
from stage import Stage, perform

JSON = {"Content-Type": "application/json"}
TEXT = {"Content-Type": "text/plain"}
MAX_BODY = 1_048_576  # bytes; the server's default
MAX_VAULTS = 20  # in a workspace; the server's default
SECRET = "zebra-crossing"  # what must not come back


def story(stage: Stage) -> None:
    # Not by way of a proxy that the environment may name.
    with (
        running_server() as server,
        httpx.Client(base_url=server.address, timeout=30, trust_env=False) as client,
    ):
        tour = Tour(stage, client)
        tour.reading()
        tour.identity()
        tour.existence()
        tour.conflicts()
        tour.states()
        tour.rules()
        tour.order()
        tour.silence()
        tour.passwords()
        tour.pages()


class Tour:
    """Ada, who does everything wrong once, and what she has."""

    def __init__(self, stage: Stage, client: httpx.Client) -> None:
        self._stage = stage
        self._client = client
        self._met: dict[str, httpx.Response] = {}
        self._ada, self._eve = sign_up(client, "ada"), sign_up(client, "eve")
        self._reader = User(
            client, self._ada.make("/api-tokens", name="reader", scopes=["read"])["token"]
        )
        self._workspaces = f"/user-profiles/{self._ada.id}/workspaces"
        self._thesis = f"/workspaces/{self._ada.make(self._workspaces, name='Thesis')['id']}"
        self._vaults = f"{self._thesis}/vaults"
        self._vault = f"/vaults/{self._ada.make(self._vaults, name='keys', path='/v')['id']}"

    def reading(self) -> None:
        self._stage.step("What cannot be read")
        for what, body in {
            "no JSON": "{",
            "nothing at all": "",
            "no JSON number": '{"name": NaN}',
            "not UTF-8": b'{"name": "\xff"}',
        }.items():
            self._meet("400 malformed-request", what, self._create(body, JSON))
        other_list = self._ada.call("GET", self._workspaces, params={"cursor": "from-elsewhere"})
        self._meet("400 invalid-cursor", "a cursor that this list never gave", other_list)
        self._meet("415 unsupported-media-type", "a plain text", self._create("{}", TEXT))
        too_large = self._create(b" " * (MAX_BODY + 1), JSON)
        self._meet("413 payload-too-large", "a byte more than a mebibyte", too_large)

    def identity(self) -> None:
        self._stage.step("Who is asking")
        nobody = self._client.get(API + self._thesis)
        self._meet("401 unauthenticated", "no token", nobody)
        challenge = nobody.headers["www-authenticate"]
        self._stage.expect("the header says what to bring", challenge == "Bearer", challenge)
        forged = {"Authorization": f"Bearer {self._ada.token[:-4]}AAAA"}
        for what, headers in {"a forged token": forged, "another scheme": _basic()}.items():
            answer = self._client.get(API + self._thesis, headers=headers)
            self._meet("401 unauthenticated", what, answer)
        read_only = self._reader.call("PATCH", self._thesis, json={"name": "Mine"})
        self._meet("403 insufficient-scope", "writing with a token for reading", read_only)
        writer = self._ada.make("/api-tokens", name="writer", scopes=["write"])["token"]
        wider = self._client.post(
            f"{API}/api-tokens",
            json={"name": "wider", "scopes": ["read", "write"]},
            headers={"Authorization": f"Bearer {writer}"},
        )
        self._meet("403 insufficient-scope", "making a token that may do more", wider)

    def existence(self) -> None:
        self._stage.step("What is not there")
        self._meet("404 route-not-found", "an address", self._ada.call("GET", "/orchestras"))
        for method, path, allowed in (
            ("PUT", self._vault, "DELETE, GET, HEAD, PATCH"),
            ("DELETE", self._vaults, "GET, HEAD, POST"),
            ("GET", f"{self._vault}/lock", "POST"),
        ):
            answer = self._ada.call(method, path)
            self._meet("405 method-not-allowed", f"{method} …{path[-5:]}", answer)
            allow = answer.headers["allow"]
            told = ", ".join(sorted(allow.split(", ")))
            self._stage.expect("the header tells all methods there are", told == allowed, allow)

        self._stage.step("What belongs to somebody else is not there either")
        for noun, path in (("workspace", self._thesis), ("vault", self._vault)):
            never_given = path[:-12] + "0" * 12
            hers, nobodys = (
                self._eve.call("GET", each, headers={"X-Request-ID": "the-same"})
                for each in (path, never_given)
            )
            self._meet(f"404 {noun}-not-found", f"Eve asks for Ada's {noun}", hers)
            same = hers.text.replace(path[-36:], never_given[-36:]) == nobodys.text
            self._stage.expect("byte for byte as for an id that was never given", same)

    def conflicts(self) -> None:
        self._stage.step("What does not go together with what is there")
        taken = self._ada.call("POST", self._workspaces, json={"name": "\uff34hesis"})
        self._meet("409 workspace-name-taken", "a name that only looks like another", taken)
        profile = {"username": "ADA", "email": "other@example.org", "password": PASSWORD}
        twin = self._client.post(f"{API}/user-profiles", json=profile)
        self._meet("409 username-taken", "a second ada", twin)
        profile = {"username": "other", "email": "ada@example.org", "password": PASSWORD}
        shared = self._client.post(f"{API}/user-profiles", json=profile)
        self._meet("409 email-taken", "her address", shared)
        full = self._ada.call("DELETE", self._thesis)
        self._meet("409 workspace-not-empty", "deleting what holds something", full)
        leaving = self._ada.call("DELETE", f"/user-profiles/{self._ada.id}")
        self._meet("409 user-has-workspaces", "leaving with work behind", leaving)
        for number in range(MAX_VAULTS - 1):
            self._ada.make(self._vaults, name=f"vault-{number}", path="/v")
        more = self._ada.call("POST", self._vaults, json={"name": "more", "path": "/v"})
        self._meet("409 vault-limit-reached", "one more than there may be", more)
        told = {name: more.json()[name] for name in ("limit", "used")}
        expected = {"limit": MAX_VAULTS, "used": MAX_VAULTS}
        self._stage.expect(
            "it tells the limit, and how many there are", told == expected, f"{told}"
        )

    def states(self) -> None:
        self._stage.step("What the present state does not allow")
        stale = {"If-Match": '"what-it-was"'}
        changed = self._ada.call("PATCH", self._thesis, json={"name": "X"}, headers=stale)
        self._meet("412 precondition-failed", "a change of what it no longer is", changed)
        self._stage.expect("it tells the present version", changed.json()["current_version"] == 1)
        self._ada.call("POST", f"{self._vault}/lock").raise_for_status()
        for method in ("PATCH", "DELETE"):
            answer = self._ada.call(method, self._vault, **_body(method, {"path": "/w"}))
            self._meet("423 vault-locked", f"{method} of a locked vault", answer)

    def rules(self) -> None:
        self._stage.step("What breaks a rule: everything that is wrong is told at once")
        body: dict[str, Any] = {"name": "a/b", "metadata": [], "is_locked": True}
        answer = self._ada.call("POST", self._vaults, json=body)
        self._meet("422 validation-error", "a vault with four mistakes", answer)
        errors = answer.json()["errors"]
        self._stage.show(
            "pointer",
            "code",
            "detail",
            rows=[(each["pointer"], each["code"], each["detail"]) for each in errors],
        )
        self._stage.expect(
            "each has a pointer into the body, and a code for programs",
            {each["pointer"]: each["code"] for each in errors}
            == {
                "/name": "not-a-folder-name",
                "/path": "missing",
                "/metadata": "object-expected",
                "/is_locked": "unknown-field",
            },
        )
        for parameter, value in {"limit": "9999", "sort": "colour", "is_locked": "perhaps"}.items():
            answer = self._ada.call("GET", self._vaults, params={parameter: value})
            self._meet("422 validation-error", f"?{parameter}={value}", answer)
            told = [each["parameter"] for each in answer.json()["errors"]]
            self._stage.expect("it names the parameter", told == [parameter])
        key = {"Idempotency-Key": "once"}
        first, second = (
            self._ada.call("POST", self._workspaces, json={"name": name}, headers=key)
            for name in ("One", "Two")
        )
        self._stage.expect("a workspace, under a key of its own", first.status_code == 201)
        self._meet("422 idempotency-key-reused", "another one under the same key", second)

    def order(self) -> None:
        self._stage.step("Where several are wrong, they are told in this order; each is mended")
        large, form, wrong = b"{" * (MAX_BODY + 1), b"{", b'{"colour": 1}'
        taken, free = b'{"name": "vault-1"}', b'{"name": "free"}'
        stale = {"If-Match": '"what-it-was"'}
        nowhere, there = self._vault[:-12] + "0" * 12, self._vault
        requests: list[tuple[str, str, str, User | None, bytes, dict[str, str]]] = [
            ("404 route-not-found", "PUT", "/orchestras", None, large, TEXT | stale),
            ("405 method-not-allowed", "PUT", nowhere, None, large, TEXT | stale),
            ("413 payload-too-large", "PATCH", nowhere, None, large, TEXT | stale),
            ("401 unauthenticated", "PATCH", nowhere, None, form, TEXT | stale),
            ("415 unsupported-media-type", "PATCH", nowhere, self._reader, form, TEXT | stale),
            ("400 malformed-request", "PATCH", nowhere, self._reader, form, JSON | stale),
            ("403 insufficient-scope", "PATCH", nowhere, self._reader, wrong, JSON | stale),
            ("422 validation-error", "PATCH", nowhere, self._ada, wrong, JSON | stale),
            ("404 vault-not-found", "PATCH", nowhere, self._ada, taken, JSON | stale),
            ("412 precondition-failed", "PATCH", there, self._ada, taken, JSON | stale),
            ("423 vault-locked", "PATCH", there, self._ada, taken, JSON),
        ]
        for expected, method, path, caller, content, headers in requests:
            if caller:
                answer = caller.call(method, path, content=content, headers=headers)
            else:
                answer = self._client.request(method, API + path, content=content, headers=headers)
            self._meet(expected, "", answer)
        self._ada.call("POST", f"{there}/unlock").raise_for_status()
        conflict = self._ada.call("PATCH", there, content=taken, headers=JSON)
        self._meet("409 vault-name-taken", "", conflict)
        fine = self._ada.call("PATCH", there, content=free, headers=JSON)
        self._stage.expect("200: nothing is wrong any more", fine.status_code == 200)

    def silence(self) -> None:
        self._stage.step("Nothing that was sent comes back, wherever it stood")
        tried = {
            "a value": self._create(f'{{"name": ["{SECRET}"]}}', JSON),
            "a choice": self._create(f'{{"name": "a", "workspace_type": "{SECRET}"}}', JSON),
            "a member's name": self._create(f'{{"name": "a", "<{SECRET}>": 1}}', JSON),
            "broken JSON": self._create(f'{{"name": "{SECRET}', JSON),
            "a media type": self._create("{}", {"Content-Type": SECRET}),
            "a token": self._client.get(
                API + self._thesis, headers={"Authorization": f"Bearer {SECRET}"}
            ),
            "an entity tag": self._ada.call(
                "DELETE", self._thesis, headers={"If-Match": f'"{SECRET}"'}
            ),
            "a parameter's name": self._ada.call("GET", self._vaults, params={SECRET: "1"}),
            "a parameter": self._ada.call("GET", self._vaults, params={"sort": SECRET}),
            "a cursor": self._ada.call("GET", self._vaults, params={"cursor": SECRET}),
            "a request's id": self._ada.call(
                "GET", "/orchestras", headers={"X-Request-ID": f"{SECRET}!"}
            ),
        }
        self._stage.show(
            "sent in", "problem", rows=[(what, problem(answer)) for what, answer in tried.items()]
        )
        silent = [SECRET not in each.text + str(each.headers) for each in tried.values()]
        self._stage.expect("each is refused", all(each.is_error for each in tried.values()))
        self._stage.expect("and none is told back", all(silent), f"{len(silent)} requests")

    def passwords(self) -> None:
        self._stage.step("Wrong passwords: five within a minute, and the account has to wait")
        wrong = [self._sign_in("eve", f"{SECRET}-{number}") for number in range(5)]
        for answer in wrong:
            self._meet("401 invalid-credentials", "", answer)
        right = self._sign_in("eve", PASSWORD)
        self._meet("429 too-many-attempts", "now not even the right one helps", right)
        seconds = right.headers["retry-after"]
        self._stage.expect("it tells how long", 0 < int(seconds) <= 60, f"Retry-After: {seconds}")
        unknown = [self._sign_in("nobody", "a password") for _ in range(6)]
        told = [problem(each) for each in unknown]
        same = told == [*map(problem, wrong), problem(right)]
        self._stage.expect("an unknown user is answered just the same", same)
        self._stage.expect("Ada is not kept out", self._sign_in("ada", PASSWORD).is_success)
        answer = self._eve.call("GET", "/user-profiles/me")
        self._stage.expect("nor is Eve where she is in already", answer.is_success)

    def pages(self) -> None:
        self._stage.step("Every type of problem is a page to read, on this server")
        titles: list[tuple[str, str]] = []
        for name, answer in self._met.items():
            told = answer.json()
            page = self._client.get(told["type"])
            explained = page.is_success and told["title"] in page.text.replace("&#x27;", "'")
            members = {"type", "title", "status", "detail", "instance", "code", "request_id"}
            if not explained or not members <= set(told):
                self._stage.expect(f"{told['type']} explains {name}", condition=False)
            titles.append((told["type"], told["title"]))
        self._stage.show("type", "title", rows=titles)
        self._stage.expect(
            "each opens, and says the same", len(titles) > 20, f"{len(titles)} types"
        )
        ids = {answer.json()["request_id"] for answer in self._met.values()}
        self._stage.expect("each problem has told its request's id", len(ids) == len(titles))

    def _meet(self, expected: str, what: str, answer: httpx.Response) -> None:
        met = problem(answer)
        detail = answer.json()["detail"] if met == expected else met
        self._stage.expect(f"{expected}: {what}".removesuffix(": "), met == expected, detail)
        if answer.headers["x-request-id"] != "the-same":
            self._met.setdefault(met, answer)

    def _create(self, content: str | bytes, headers: dict[str, str]) -> httpx.Response:
        return self._ada.call("POST", self._workspaces, content=content, headers=headers)

    def _sign_in(self, username: str, password: str) -> httpx.Response:
        form = {"username": username, "password": password}
        return self._client.post(f"{API}/auth/token", data=form)


def _basic() -> dict[str, str]:
    return {"Authorization": "Basic YWRhOnBhc3N3b3Jk"}


def _body(method: str, document: dict[str, Any]) -> dict[str, Any]:
    return {"json": document} if method == "PATCH" else {}


if __name__ == "__main__":
    perform(story)
