"""Lines are written by a thread of their own: in order, complete, or counted as dropped."""

import os
import time
from collections.abc import Callable, Generator

import pytest

from symphony.line_writer import LineWriter

LINE = "a line that is long enough to fill a pipe after a few thousand times\n"


@pytest.fixture
def pipe() -> Generator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    os.close(writer)
    os.close(reader)


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_lines_are_written_completely_and_in_order(pipe: tuple[int, int]) -> None:
    reader, descriptor = pipe
    writer = LineWriter(descriptor)
    for number in range(500):
        writer.write(f"{number}\n")
    writer.finish(10)
    written = os.read(reader, 1 << 16).decode()
    assert written.split() == [str(number) for number in range(500)]


def test_a_reader_that_pauses_delays_nobody_and_gets_complete_lines(pipe: tuple[int, int]) -> None:
    reader, descriptor = pipe
    dropped: list[int] = []
    writer = LineWriter(descriptor)
    writer.count_dropped(dropped.append)
    for _ in range(20_000):
        writer.write(LINE)
    writer.report_dropped()
    assert sum(dropped) > 0
    started = time.monotonic()
    writer.finish(0.05)  # as at the exit of a process
    assert time.monotonic() - started < 5
    received = b""
    expected = 20_000 - sum(dropped)
    while received.count(b"\n") < expected:
        received += os.read(reader, 1 << 16)
    writer.finish(10)
    assert received == LINE.encode() * expected


@pytest.mark.parametrize("descriptor", [-1, os.open("/dev/full", os.O_WRONLY)])
def test_what_cannot_be_written_is_counted(descriptor: int) -> None:
    dropped: list[int] = []
    writer = LineWriter(descriptor)
    writer.write(LINE)
    writer.finish(10)
    writer.count_dropped(dropped.append)  # also what was dropped until now
    writer.write(LINE * 2)
    wait_for(lambda: sum(dropped) == 3)


def test_a_line_that_was_cut_off_does_not_become_part_of_the_next_one(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, descriptor = pipe
    dropped: list[int] = []
    writer = LineWriter(descriptor)
    writer.count_dropped(dropped.append)
    write, space = os.write, [8]

    def limited(number: int, data: bytes) -> int:
        if number != descriptor:
            return write(number, data)
        if not space[0]:
            raise OSError(28, "No space left on device")
        written = write(number, bytes(data)[: space[0]])
        space[0] -= written
        return written

    monkeypatch.setattr(os, "write", limited)
    writer.write("one\ntwo two\n")
    wait_for(lambda: dropped == [1])
    space[0] = 1000
    writer.write("three\n")
    writer.finish(10)
    assert os.read(reader, 1000) == b"one\ntwo \nthree\n"


def test_text_that_is_not_unicode_is_escaped(pipe: tuple[int, int]) -> None:
    reader, descriptor = pipe
    writer = LineWriter(descriptor)
    writer.write("a\udc80b\n")
    writer.finish(10)
    assert os.read(reader, 100) == b"a\\udc80b\n"
