"""The channel between tool and target, under everything that a target may do to it."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from tapeinspect.link import channel as channel_module
from tapeinspect.link.channel import Channel
from tapeinspect.link.messages import Message, Pause, Stop, Tick, Trouble, encode

Pair = tuple[socket.socket, Channel]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A bare socket and the channel on its other end."""
    bare, sock = socket.socketpair()
    channel = Channel(sock)
    yield bare, channel
    bare.close()
    channel.release()


def frame(message: Message) -> bytes:
    body = encode(message)
    return len(body).to_bytes(4, "big") + body


def collect(channel: Channel) -> tuple[list[Message], threading.Thread]:
    """Receive in the background until the end."""
    received: list[Message] = []

    def run() -> None:
        while (message := channel.receive()) is not None:
            received.append(message)

    thread = threading.Thread(target=run)
    thread.start()
    return received, thread


def test_a_frame_is_a_length_and_json(pair: Pair) -> None:
    bare, channel = pair
    assert channel.send(Trouble("full", "free some"))
    assert bare.recv(1000) == frame(Trouble("full", "free some"))


def test_frames_in_pieces_and_frames_together(pair: Pair) -> None:
    bare, channel = pair
    received, thread = collect(channel)
    data = frame(Pause()) + frame(Tick(1, 2, None, 0.5, 1.1)) + frame(Trouble("x" * 5000))
    for byte in data[:60]:
        bare.send(bytes([byte]))
    bare.sendall(data[60:] + frame(Stop()))
    bare.close()
    thread.join(10)
    assert received == [Pause(), Tick(1, 2, None, 0.5, 1.1), Trouble("x" * 5000), Stop()]


def test_an_end_in_the_middle_of_a_frame(pair: Pair) -> None:
    bare, channel = pair
    bare.sendall(frame(Pause()) + frame(Stop())[:7])
    bare.close()
    assert channel.receive() == Pause()
    assert channel.receive() is None
    assert channel.receive() is None


def test_what_is_no_message_leaves_the_next_one_readable(pair: Pair) -> None:
    bare, channel = pair
    bare.sendall(b"\0\0\0\4oops" + frame(Pause()))
    with pytest.raises(ValueError):
        channel.receive()
    assert channel.receive() == Pause()


def test_a_frame_beyond_the_limit(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    bare, channel = pair
    monkeypatch.setattr(channel_module, "MAX_FRAME", 1000)
    with pytest.raises(ValueError, match="too long"):
        channel.send(Trouble("x" * 1000))
    bare.sendall(b"GET / HTTP/1.1\r\n")
    with pytest.raises(ValueError, match="announced"):
        channel.receive()
    assert channel.receive() is None


def test_sending_to_one_who_is_gone(pair: Pair) -> None:
    bare, channel = pair
    bare.close()
    assert not channel.send(Pause())
    assert not channel.send(Pause())


def test_no_sigpipe_for_a_script_that_asked_for_it() -> None:
    code = """
import signal, socket
from tapeinspect.link.channel import Channel
from tapeinspect.link.messages import Pause
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
ours, theirs = socket.socketpair()
theirs.close()
print(Channel(ours).send(Pause()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, "False\n")


def test_closing_wakes_the_reader_after_what_has_arrived(pair: Pair) -> None:
    bare, channel = pair
    received, thread = collect(channel)
    bare.sendall(frame(Pause()))
    while not received:
        time.sleep(0.005)
    bare.sendall(frame(Stop()))
    channel.close()
    thread.join(10)
    assert not thread.is_alive()
    assert received == [Pause(), Stop()]
    assert not channel.send(Pause())


def test_many_threads_send(pair: Pair) -> None:
    bare, channel = pair
    received, reader = collect(Channel(bare.dup()))
    threads = [
        threading.Thread(target=lambda n=n: [channel.send(Tick(n, i, None, 0.0, None)) for i in range(200)])
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    channel.close()
    reader.join(20)
    assert len(received) == 8 * 200
    for n in range(8):
        assert [m.steps for m in received if isinstance(m, Tick) and m.ops == n] == list(range(200))


class Interrupted(Exception):
    """What a signal handler raises."""


def test_signal_handlers_that_send_and_raise_cut_no_frame(pair: Pair) -> None:
    bare, channel = pair
    received, reader = collect(Channel(bare.dup()))
    armed = False

    def handler(*_: object) -> None:
        channel.send(Trouble("handler"))
        if armed:
            raise Interrupted

    interrupted, sent, chance = 0, 0, random.Random(1)
    before = signal.signal(signal.SIGALRM, handler)
    try:
        begun = time.monotonic()  # a second, or as long as a machine takes that has much else to do
        while time.monotonic() < begun + (1 if interrupted > 10 and sent else 60):
            try:
                armed = True
                signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.0001, 0.004))
                channel.send(Trouble("x" * 300_000))
                sent += 1
                armed = False
            except Interrupted:
                armed = False
                interrupted += 1
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert channel.send(Stop())
    channel.close()
    reader.join(20)
    assert interrupted > 10
    assert sent > 0
    assert received[-1] == Stop()
    assert {len(m.message) for m in received if isinstance(m, Trouble)} == {300_000, len("handler")}


def test_the_child_of_a_fork_gives_up_its_copy_only(pair: Pair) -> None:
    bare, channel = pair
    child = os.fork()
    if child == 0:
        channel.release()
        os._exit(0 if not channel.send(Pause()) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert channel.send(Stop())
    assert bare.recv(1000) == frame(Stop())


def test_a_channel_from_a_descriptor_is_not_passed_on(pair: Pair) -> None:
    bare, _ = pair
    number = os.dup(bare.fileno())
    os.set_inheritable(number, True)
    other = Channel.from_fd(number)
    assert not os.get_inheritable(number)
    other.release()
    with pytest.raises(OSError):
        Channel.from_fd(number)
