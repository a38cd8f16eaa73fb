"""Signals to the tool: what is meant for the script reaches it, and nothing ends without its recording."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from tapeinspect.session.target import Target

Handler = Callable[[int, FrameType | None], Any]


@contextlib.contextmanager
def passing_on() -> Iterator[Callable[[Target], None]]:
    """While a script runs in our process group: pass on what only we get, and outlive what both get.

    Ctrl+C reaches the script by itself; SIGTERM and SIGHUP are passed on. Gives a function that takes the
    target once it is there, and passes on what came before.
    """

    def both(number: int, frame: FrameType | None) -> None:
        """The terminal has sent it to the script as well, if the script was there."""
        if not holder:
            early.append(number)

    def forward(number: int, frame: FrameType | None) -> None:
        if holder:
            holder[0].signal(number)
        else:
            early.append(number)

    def deliver(target: Target) -> None:
        holder.append(target)
        for number in early:
            target.signal(number)

    holder: list[Target] = []
    early: list[int] = []
    handlers: dict[int, Handler] = {signal.SIGINT: both, signal.SIGQUIT: both}
    handlers |= {signal.SIGTERM: forward, signal.SIGHUP: forward}
    with _handling(handlers):
        yield deliver


@contextlib.contextmanager
def ending_on_signals() -> Iterator[None]:
    """While the screen is up: end it in order on SIGTERM and SIGHUP, and the script with it."""

    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    with _handling({signal.SIGTERM: end, signal.SIGHUP: end}):
        yield


@contextlib.contextmanager
def _handling(handlers: dict[int, Handler]) -> Iterator[None]:
    before = {}
    try:
        for number, handler in handlers.items():
            if (
                signal.getsignal(number) is not signal.SIG_IGN
            ):  # `nohup` means what it says, for the script too
                before[number] = signal.signal(number, handler)
        if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:  # else nobody learns the script's exit status
            before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
