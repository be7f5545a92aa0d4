"""The body of a report, and its limits."""

import gzip
import json
from dataclasses import replace

import pytest

from symphony.client.reporting.document import MAX_BYTES, TooLarge, create_document
from symphony.domain.machines.checkouts import MAX_CHECKOUTS, MAX_REMOTE_HEADS
from tests.client.reporting.checkouts import checkout, report


def test_a_body_is_compressed_json() -> None:
    document = create_document(report(checkout("/a"), checkout("/b")))
    body = json.loads(gzip.decompress(document.compressed()))
    assert body == document.content
    assert (body["sequence"], body["roots"]) == (7, ["/home/ada/dev"])
    assert [each["path"] for each in body["checkouts"]] == ["/a", "/b"]
    assert document.notes == []
    assert document.compressed() == document.compressed()


def test_more_checkouts_than_a_report_may_contain_are_refused() -> None:
    many = [checkout(f"/{number}") for number in range(MAX_CHECKOUTS + 1)]
    assert create_document(report(*many[1:]))
    with pytest.raises(TooLarge) as refused:
        create_document(report(*many))
    assert str(refused.value) == (
        "1,001 repositories were found, and a report can contain 1,000. Name fewer or smaller"
        " directories with --root."
    )


@pytest.mark.long
def test_a_large_report_has_fewer_remote_branches_and_says_so() -> None:
    many = [checkout(f"/{number}", heads=MAX_REMOTE_HEADS) for number in range(30)]
    document = create_document(report(*many))
    assert len(document.body) <= MAX_BYTES
    assert {len(each["remote_heads"]) for each in document.content["checkouts"]} == {200}
    first = document.content["checkouts"][0]["remote_heads"][0]["branch"]
    assert first == "branch-0"
    assert document.notes == [
        "The report contains only the first 200 remote branches of each repository, because it"
        " would be larger than 4 MiB otherwise. Work that was pushed elsewhere may stay on the"
        " board."
    ]


def test_nothing_else_is_left_out_of_a_report_that_is_too_large() -> None:
    large = checkout("/large")
    status = replace(large.status, reason="x" * MAX_BYTES)
    with pytest.raises(TooLarge) as refused:
        create_document(report(replace(large, status=status)))
    assert str(refused.value) == (
        "The report has 4.0 MiB, and the server accepts 4 MiB. Name fewer or smaller directories"
        " with --root."
    )
