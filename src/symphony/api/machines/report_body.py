"""The schema of a report."""

from typing import Annotated, cast

from pydantic import BeforeValidator, Field, WrapValidator

from symphony.api.fields import WHOLE_NUMBER
from symphony.api.machines.received import receive
from symphony.api.machines.reported_checkout import ReportedCheckout
from symphony.api.machines.reported_status import MAX_PATH, Reported
from symphony.api.problems.validation_errors import TEXT_PATTERN
from symphony.domain.errors import RuleBroken
from symphony.domain.machines.checkouts import MAX_CHECKOUTS, ReceivedCheckout, ReceivedReport

MAX_BYTES = 4_194_304
"""Of a report, also when it is decompressed."""
_MAX_ROOTS = 100


def _few(value: object) -> object:
    """Refuse too many checkouts before they are read: of millions, each would have an error."""
    if isinstance(value, list) and len(cast("list[object]", value)) > MAX_CHECKOUTS:
        raise RuleBroken("too-long", f"Must have at most {MAX_CHECKOUTS:,} items.")
    return cast("object", value)


class ReportBody(Reported):
    """What a machine has: all of its checkouts."""

    sequence: Annotated[
        int,
        Field(
            ge=0,
            le=2**63 - 1,
            description="The number of the report, larger than that of the machine's last one.",
            examples=[1_795_000_000_000],
        ),
        WHOLE_NUMBER,
    ]
    roots: Annotated[
        list[Annotated[str, Field(max_length=MAX_PATH, pattern=TEXT_PATTERN)]],
        Field(
            max_length=_MAX_ROOTS,
            fail_fast=True,
            description="The directories that were searched; at most 100.",
            examples=[["/home/ada/dev"]],
        ),
    ]
    checkouts: Annotated[
        list[Annotated[ReportedCheckout, WrapValidator(receive)]],
        Field(
            fail_fast=True,
            description="The checkouts; at most 1,000.",
            json_schema_extra={"maxItems": MAX_CHECKOUTS},
        ),
        BeforeValidator(_few),
    ]

    def report(self) -> ReceivedReport:
        """Return the report, as it is passed on."""
        checkouts = cast("list[ReceivedCheckout]", self.checkouts)  # by `receive`
        return ReceivedReport(sequence=self.sequence, checkouts=checkouts)
