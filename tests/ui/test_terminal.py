"""The emulator that shows the script's output."""

from __future__ import annotations

import time

import pytest

from tapeinspect.ui.terminal import PLAIN, Look, Terminal


def shown(data: bytes, columns: int = 20, rows: int = 5) -> list[str]:
    terminal = Terminal(columns, rows)
    terminal.feed(data)
    return [terminal.text(i) for i in range(len(terminal.lines))]


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"one\r\ntwo", ["one", "two"]),
        (b"10%\r20%", ["20%"]),
        (b"loss 0.123456\rloss 0.5", ["loss 0.523456"]),
        (b"loss 0.123456\r\x1b[Kloss 0.5", ["loss 0.5"]),
        (b"abc\b\bX", ["aXc"]),
        (b"a\tb", ["a       b"]),
        (b"abc\x1b[2Dx", ["axc"]),
        (b"one\r\ntwo\r\n\x1b[2Aup", ["upe", "two", ""]),
        (b"one\x1b[1K", ["   "]),
        (b"one\r\ntwo\x1b[2J", ["", ""]),
        (b"\x1b]0;a title\x07shown", ["shown"]),
        (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", ["link"]),
        (b"\x1b[?1049h\x1b[?25lplain\x1b[?1049l", ["plain"]),
        (b"\x1b(Bplain", ["plain"]),
        (b"x" * 25, ["x" * 20, "x" * 5]),
        (b"\xff\xfeok", ["��ok"]),
        ("日本\rX".encode(), ["X 本"]),
        (b"abcdef\x1b[3G\x1b[2P", ["abef"]),
        (b"\x1b[2;3Hat", ["", "  at"]),
        (b"bell\x07\x00\x0e", ["bell"]),
    ],
)  # fmt: skip
def test_what_bytes_show(data: bytes, lines: list[str]) -> None:
    assert shown(data) == lines


@pytest.mark.parametrize(
    "data", [b"\x1b[31mred\x1b[0m plain \xe6\x97\xa5\r\n\x1b]0;t\x07\x1b[2Aend", b"\x1b[38;2;1;2;3mx\x1b[K"]
)
def test_cutting_the_bytes_anywhere_changes_nothing(data: bytes) -> None:
    whole = Terminal(20, 5)
    whole.feed(data)
    for cut in range(len(data)):
        parts = Terminal(20, 5)
        parts.feed(data[:cut])
        parts.feed(data[cut:])
        assert parts.lines == whole.lines, cut


@pytest.mark.parametrize(
    ("codes", "look"),
    [
        ("31", Look(fg=1)), ("1;4;92", Look(fg=10, bold=True, underline=True)), ("38;5;208", Look(fg=208)),
        ("48;2;10;20;30", Look(bg=(10, 20, 30))), ("7;44", Look(bg=4, reverse=True)), ("38;5", PLAIN), ("", PLAIN),
        ("1;22", PLAIN), ("31;39", PLAIN), ("38:5:9", Look(fg=9)), ("999", PLAIN),
    ],
)  # fmt: skip
def test_colours_and_attributes(codes: str, look: Look) -> None:
    terminal = Terminal()
    terminal.feed(f"\x1b[{codes}mx".encode())
    assert terminal.lines == [[("x", look)]]


def test_an_unfinished_escape_is_not_kept_for_ever() -> None:
    terminal = Terminal()
    terminal.feed(b"\x1b]0;" + b"a" * 100_000)
    assert len(terminal._rest) < 10_000


def test_huge_numbers_in_commands_do_no_harm() -> None:
    terminal = Terminal(20, 5)
    terminal.feed(b"\x1b[99999999999B\x1b[99999999999C\x1b[99999999999Xx\x1b[4294967296;1H")
    assert len(terminal.lines) <= 6


def test_the_scrollback_is_bounded_and_a_flood_is_taken_in_quickly() -> None:
    terminal = Terminal(80, 24, keep=1000)
    began = time.process_time()
    terminal.feed(b"a line that a script prints\r\n" * 100_000)
    assert len(terminal.lines) <= 2001
    assert terminal.dropped >= 98_000
    assert time.process_time() - began < 5
