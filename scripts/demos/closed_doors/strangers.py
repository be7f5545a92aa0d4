"""Strangers guess passwords: they find none, and keep nobody from working."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from scripts.demos.support.demo_server import running_server
from scripts.demos.support.stage import Stage
from scripts.demos.support.user import API, PASSWORD, outcome, sign_up

HOME, CAFE = "192.0.2.1", "198.51.100.1"
STRANGERS = [f"203.0.113.{number}" for number in range(25)]
FAILURES = 4  # of each of them: one more would cause a pause
PASSPHRASE = "harp anvil moss comet ladle"
MANY = 40


def guesses_from_many_addresses(stage: Stage) -> None:
    with running_server(TRUSTED_PROXIES="127.0.0.1") as server, server.client() as client:

        def sign_in(password: str, address: str) -> httpx.Response:
            """Sign in as Ada, through a proxy that passes the address of its client on."""
            form = {"username": "ada", "password": password}
            forwarded = {"X-Forwarded-For": address}
            return client.post(f"{API}/auth/token", data=form, headers=forwarded)

        def guess(address: str) -> httpx.Response:
            return sign_in("a guess", address)

        stage.step("Strangers guess Ada's password from 25 addresses")
        sign_up(client, "ada")
        sign_in(PASSWORD, HOME).raise_for_status()
        stage.say(
            "The service trusts the proxy that this demo is, so `X-Forwarded-For` says where a"
            " request comes from. Ada has signed in from home before."
        )
        with ThreadPoolExecutor(4) as threads:
            guesses = [*threads.map(guess, STRANGERS * FAILURES)]
        at_cafe = stage.exchange(sign_in(PASSWORD, CAFE))
        at_home = stage.exchange(sign_in(PASSWORD, HOME), "token_type", "expires_in")
        wrong = [outcome(each) for each in guesses].count("401 invalid-credentials")
        rows = [
            ("strangers", f"{wrong} wrong passwords"),
            ("the right password, from a new address", outcome(at_cafe)),
            ("Ada, at home", outcome(at_home)),
        ]
        stage.table("who", "outcome", rows=rows)
        stage.why(
            "100 guesses an hour are too few to find a password, and more addresses do not help."
            " Where Ada usually works, only her own failures count, so nobody can lock her"
            " out."
        )
        stage.expect("100 guesses are wrong", wrong == len(guesses) == 100)
        stage.expect("further addresses wait", outcome(at_cafe) == "429 too-many-attempts")
        seconds = int(at_cafe.headers["retry-after"])
        stage.expect("until the hour is over", 900 < seconds <= 3600, f"{seconds} seconds")
        stage.expect("Ada signs in at home", at_home.is_success)
        mistyped = outcome(sign_in("mistyped", HOME))
        stage.expect("and may mistype her password", mistyped == "401 invalid-credentials")


def guesses_during_an_unlock(stage: Stage) -> None:
    with running_server() as server, server.client() as client:
        stage.step("Forty strangers guess passwords while Ada unlocks her vault")
        ada = sign_up(client, "ada")
        body = {"name": "secrets", "path": "~/secrets", "protection": "passphrase"}
        vaults = f"/workspaces/{ada.create_workspace('Clients')}/vaults"
        vault = ada.create(vaults, **body, passphrase=PASSPHRASE)["id"]
        answered = list[httpx.Response]()

        def guess(number: int) -> None:
            form = {"username": f"nobody{number}", "password": "a guess"}
            answered.append(client.post(f"{API}/auth/token", data=form))

        with ThreadPoolExecutor(MANY) as pool:
            guesses = [pool.submit(guess, number) for number in range(MANY)]
            while not answered:
                time.sleep(0.01)
            before = len(answered)
            given = {"passphrase": PASSPHRASE}
            unlocked = ada.call("POST", f"/vaults/{vault}/unlock", json=given)
            meanwhile = len(answered) - before
            for each in guesses:
                each.result()
        stage.exchange(unlocked, "is_locked")
        stage.why(
            "each guess costs a slow hash, and a core needs some seconds for 40. Callers with a"
            " token do not wait behind strangers, so nobody can keep Ada from her secrets."
        )
        stage.expect("Ada's vault is unlocked", outcome(unlocked) == "200")
        stage.expect(
            "few strangers are answered before her",
            meanwhile <= MANY / 2,
            f"{meanwhile} of {MANY}",
        )
        outcomes = {outcome(each) for each in answered}
        stage.expect("each of them gets an answer", outcomes == {"401 invalid-credentials"})
