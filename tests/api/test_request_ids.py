"""X-Request-ID: a valid one is returned, any other is replaced."""

import httpx

from tests.support.api import API


async def test_a_valid_request_id_is_returned_and_any_other_replaced(
    client: httpx.AsyncClient,
) -> None:
    for given in ("a", "A-z_0.9", "x" * 128):
        for path in ("/", "/nothing", f"{API}/user-profiles/me"):
            answer = await client.get(path, headers={"X-Request-ID": given})
            assert answer.headers.get_list("x-request-id") == [given]
    made: set[str] = set()
    refused = ("", " ", "x" * 129, "a b", "a/b", "a,b", "<x>", "a\tb", "é", '"a"')
    for bad in refused:
        answer = await client.get("/nothing", headers={b"X-Request-ID": bad.encode()})
        (request_id,) = answer.headers.get_list("x-request-id")
        assert request_id != bad
        assert answer.json()["request_id"] == request_id
        made.add(request_id)
    assert len(made) == len(refused)
