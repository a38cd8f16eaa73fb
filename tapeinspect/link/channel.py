"""A socket that carries messages: each frame is a 4-byte big-endian length and the message's JSON.

Both ends use it. In the target it must not disturb the user's program: sending does not raise when the tool
is gone, and neither an exception from a signal handler nor a handler that sends can cut a frame in two.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections import deque

from tapeinspect.link.messages import Message, decode, encode

MAX_FRAME = 64 << 20
"""Bytes of the longest message. A longer one is a mistake, or the other end does not speak our language."""

_HEADER = struct.Struct(">I")
_NO_SIGNAL = getattr(socket, "MSG_NOSIGNAL", 0)  # scripts that set SIGPIPE to its default must not die of us


class Channel:
    """One end of the connection between tool and target.

    Any number of threads may send. One thread at a time may receive.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._lock = threading.RLock()
        self._outgoing = bytearray()
        self._sent: list[int] = []
        self._flushing = False
        self._broken = False
        self._deaf = False
        self._incoming: deque[bytes] = deque()
        self._available = 0

    @classmethod
    def from_fd(cls, fd: int) -> Channel:
        """The end that was passed on as a file descriptor. Raises OSError when it is no socket."""
        sock = socket.socket(fileno=fd)
        sock.set_inheritable(False)
        return cls(sock)

    def fileno(self) -> int:
        """The file descriptor, -1 when closed."""
        return self._sock.fileno()

    def send(self, message: Message) -> bool:
        """Send a message; False when the other end is gone. Raises ValueError when it exceeds MAX_FRAME."""
        body = encode(message)
        if len(body) > MAX_FRAME:
            raise ValueError(f"a message of {len(body):,} bytes is too long, at most {MAX_FRAME:,}")
        with self._lock:
            if self._broken:
                return False
            self._outgoing += _HEADER.pack(len(body)) + body
            if (
                self._flushing
            ):  # a signal handler sends while its thread is sending: that one sends this as well
                return True
            return self._flush()

    def receive(self) -> Message | None:
        """Wait for the next message; None when the other end has closed.

        Raises ValueError for a frame that is no message (the next one can be received) and for one longer
        than MAX_FRAME (nothing can be received any more).
        """
        header = self._read(_HEADER.size)
        if header is None:
            return None
        (length,) = _HEADER.unpack(header)
        if length > MAX_FRAME:
            self.close()
            self._deaf = True
            raise ValueError(
                f"a message of {length:,} bytes was announced, at most {MAX_FRAME:,} are allowed"
            )
        body = self._read(length)
        return None if body is None else decode(body)

    def close(self) -> None:
        """Close the connection for both ends; a waiting `receive` gets what has arrived, then None."""
        self._broken = True
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Give up this process's descriptor only: for the child of a fork, whose parent goes on talking."""
        self._broken = True
        self._sock.close()

    def _flush(self) -> bool:
        self._flushing = True
        try:
            while self._settle():
                # The count goes into the list with no bytecode in between: when a signal handler raises here,
                # what is left of the frame is sent with the next message.
                self._sent.extend(map(self._sock.send, (bytes(self._outgoing[:65536]),), (_NO_SIGNAL,)))
        except OSError:
            self._broken = True
            self._outgoing.clear()
            return False
        finally:
            self._flushing = False
        return True

    def _settle(self) -> int:
        """Drop what has been sent; the number of bytes left."""
        del self._outgoing[: sum(self._sent)]
        self._sent.clear()
        return len(self._outgoing)

    def _read(self, size: int) -> bytes | None:
        if self._deaf:
            return None
        while self._available < size:
            try:
                chunk = self._sock.recv(65536)
            except OSError:
                return None
            if not chunk:
                return None
            self._incoming.append(chunk)
            self._available += len(chunk)
        self._available -= size
        data = b"".join(self._incoming) if len(self._incoming) != 1 else self._incoming[0]
        self._incoming.clear()
        if len(data) > size:
            self._incoming.append(data[size:])
        return data[:size]
