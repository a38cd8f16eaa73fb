"""The pty that the script's input and output go through when the screen is in use."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import struct
import termios
import threading
import time
from collections.abc import Callable

CHUNK = 65536
GATHER = 0.003
"""Seconds between reads, so that a script that prints line by line is not slowed by a wake-up for each."""
LAST_CHUNKS = 64
"""Reads after the target's end, since a process that it left behind may write for ever."""


class Terminal:
    """A pty of ours: `path` is the script's side of it.

    `pump` runs on one thread; the other methods may be called from any, and never block.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self._master, slave = os.openpty()
        self.path = os.ttyname(slave)
        # Held open as long as ours, or the pty would report a hang-up when the script has closed its side.
        self._slave = slave
        self._wake_read, self._wake_write = os.pipe()
        self._pending = bytearray()
        self._ended = False
        self._closed = False
        self._lock = threading.Lock()  # guards the descriptors against use after they were closed
        for fd in (self._master, self._wake_read, self._wake_write):
            os.set_blocking(fd, False)
        self.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size; the script gets SIGWINCH."""
        with self._lock, contextlib.suppress(OSError):
            if not self._closed:
                fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def write(self, data: bytes) -> None:
        """Type into the terminal."""
        self._pending += data
        self._wake()

    def foreground(self) -> int | None:
        """The process group that Ctrl+C in this terminal goes to, None when there is none."""
        with self._lock, contextlib.suppress(OSError):
            return None if self._closed else os.tcgetpgrp(self._master) or None
        return None

    def finish(self) -> None:
        """The target has ended: `pump` returns when it has read what there is."""
        self._ended = True
        self._wake()

    def pump(self, output: Callable[[bytes], None]) -> None:
        """Read what is written on the terminal and write what was typed, until the target has ended."""
        poll = select.poll()
        poll.register(self._wake_read, select.POLLIN)
        last_chunks = LAST_CHUNKS
        while True:
            poll.register(self._master, select.POLLIN | (select.POLLOUT if self._pending else 0))
            ended = self._ended  # looked at first, so that what was written before the end is read after it
            last_chunks -= ended
            ready = dict(poll.poll(0 if ended else None))
            if self._wake_read in ready:
                self._drain_wake()
            if ready.get(self._master, 0) & select.POLLOUT:
                self._type()
            more = ready.get(self._master, 0) & select.POLLIN and self._read(output)
            if ended and (not more or not last_chunks):
                return

    def close(self) -> None:
        """Close our side: the script's side hangs up. After `pump` has returned."""
        with self._lock:
            self._closed = True
            for fd in (self._master, self._slave, self._wake_read, self._wake_write):
                os.close(fd)

    def _wake(self) -> None:
        with self._lock, contextlib.suppress(BlockingIOError):
            if not self._closed:
                os.write(self._wake_write, b".")

    def _drain_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_read, CHUNK)

    def _type(self) -> None:
        with contextlib.suppress(OSError):
            del self._pending[: os.write(self._master, bytes(self._pending[:CHUNK]))]

    def _read(self, output: Callable[[bytes], None]) -> bool:
        chunks: list[bytes] = []
        with contextlib.suppress(OSError):  # nothing more for now
            while len(chunks) < 16 and (data := os.read(self._master, CHUNK)):
                chunks.append(data)
        if chunks:
            output(b"".join(chunks))
            if not self._ended:
                time.sleep(GATHER)
        return bool(chunks)
