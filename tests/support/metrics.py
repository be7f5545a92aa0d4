"""Reads /metrics."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

CONNECTIONS_OF_A_WORKER = 5  # with an SQLite file


class Samples:
    """The samples of one response of /metrics."""

    def __init__(self, text: str) -> None:
        self._samples = [
            sample for family in text_string_to_metric_families(text) for sample in family.samples
        ]

    def value(self, name: str, **labels: str) -> float:
        """The sum of all samples with this name and at least these labels."""
        return sum(
            sample.value
            for sample in self._samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


async def scraped(client: httpx.AsyncClient) -> Samples:
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return Samples(answer.text)


async def all_serve(client: httpx.AsyncClient, workers: int) -> bool:
    """Whether this number of workers serves: each reports its connection limit when it starts."""
    limit = (await scraped(client)).value("symphony_database_connections_limit")
    return limit == workers * CONNECTIONS_OF_A_WORKER
