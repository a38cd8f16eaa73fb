"""A running target: start it, hear from it, speak to it, end it."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tapeinspect.errors import TargetError
from tapeinspect.link.channel import Channel
from tapeinspect.link.messages import Answer, Message, Request, Trouble
from tapeinspect.session.finish import finish
from tapeinspect.session.launch import Launch, spawn
from tapeinspect.session.terminal import Terminal

BACKLOG = 4 << 20
"""Bytes of output kept for a listener that is still to come; when they are full the script waits."""


@dataclass(frozen=True, slots=True)
class Output:
    """Bytes that the script wrote on its terminal."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Exited:
    """The target has ended; the last event."""

    status: int
    """Its exit status, 128 + signal when it was killed."""


Event = Message | Output | Exited
Listener = Callable[[Event], None]


class Target:
    """The process that runs the user's script.

    The listener is called on background threads, one event at a time, `Exited` last. An exception that it
    raises is kept in `listener_error` and silences it.
    """

    def __init__(self, launch: Launch, listener: Listener | None) -> None:
        self.launch = launch
        self.trace = Path(launch.config.output)
        """The recording that the target writes."""
        self.exit_status: int | None = None
        """None while it runs."""
        self.listener_error: Exception | None = None
        self._listener = listener
        self._backlog: list[Event] = []
        self._backlog_bytes = 0
        self._events = threading.Condition(threading.RLock())
        self._asked: dict[int, Future[Answer]] = {}
        self._requests = itertools.count(1)
        self._alive = threading.Lock()  # guards the process id: held while signalling and while reaping
        self._over = threading.Event()
        self._done = threading.Event()
        self._ending = False

    @classmethod
    def start(cls, launch: Launch, listener: Listener | None = None) -> Target:
        """Start the script. Without a listener, events wait for `subscribe`. Raises TargetError."""
        target = cls(launch, listener)
        target._start()
        return target

    def subscribe(self, listener: Listener) -> None:
        """Set the listener, and let it have all that has happened so far."""
        with self._events:
            self._listener = listener
            backlog, self._backlog, self._backlog_bytes = self._backlog, [], 0
            for event in backlog:
                self._emit(event)
            self._events.notify_all()

    def send(self, message: Message) -> None:
        """Send a message; one that comes too late is dropped."""
        self._channel.send(message)

    def ask(self, request: Request) -> Future[Answer]:
        """Ask for something; the `request` number is chosen here. Fails with TargetError at the end."""
        number = next(self._requests)
        future: Future[Answer] = Future()
        self._asked[number] = future
        if self._over.is_set() or not self._channel.send(dataclasses.replace(request, request=number)):
            self._fail_asked()
        return future

    def write_input(self, data: bytes) -> None:
        """Type into the script's terminal."""
        if self._terminal is not None:
            self._terminal.write(data)

    def resize(self, columns: int, rows: int) -> None:
        """Give the script's terminal another size."""
        if self._terminal is not None:
            self._terminal.resize(columns, rows)

    def interrupt(self) -> None:
        """Do what Ctrl+C does: SIGINT for the script and for what it runs in its terminal's foreground."""
        group = self._terminal.foreground() if self._terminal is not None else None
        with self._alive:
            if self.exit_status is not None:
                return
            with contextlib.suppress(ProcessLookupError):
                if group is None:
                    os.kill(self.pid, signal.SIGINT)
                else:
                    os.killpg(group, signal.SIGINT)

    def signal(self, number: int) -> None:
        """Pass a signal on to the script's process."""
        with self._alive:
            if self.exit_status is None:
                os.kill(self.pid, number)

    def end(self, grace: float = 2.0) -> None:
        """End the script: SIGTERM, and SIGKILL when it is still there after `grace` seconds.

        With a terminal of its own, whatever else runs in the script's process group goes with it.
        """
        self._ending = True
        if self._listener is None:  # else the lock may be held by a listener that waits for our caller
            with self._events:
                self._events.notify_all()
        self._kill(signal.SIGTERM)
        self._kill(signal.SIGCONT)  # a stopped process hears nothing else
        if self.wait(grace) is None:
            self._kill(signal.SIGKILL)
            self.wait(5.0)

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the script to end; its exit status, or None when `timeout` seconds have passed."""
        self._over.wait(timeout)
        return self.exit_status

    def drain(self, timeout: float | None = None) -> bool:
        """Wait until the listener has had every event, `Exited` included; False when `timeout` has passed."""
        return self._done.wait(timeout)

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        self._channel = Channel(ours)
        self._terminal = Terminal(*self.launch.size) if self.launch.pty else None
        try:
            self.pid = spawn(self.launch, theirs.fileno(), self._terminal.path if self._terminal else None)
        except BaseException:
            self._close()
            raise
        finally:
            theirs.close()
        for note in self.launch.notes:
            self._emit(note)
        threads = [threading.Thread(target=self._hear, name="target messages", daemon=True)]
        if self._terminal is not None:
            threads.append(threading.Thread(target=self._pump, name="target output", daemon=True))
        for thread in threads:
            thread.start()
        threading.Thread(target=self._watch, args=(threads,), name="target end", daemon=True).start()

    def _hear(self) -> None:
        while True:
            try:
                message = self._channel.receive()
            except ValueError as error:  # the script wrote on our descriptor, or the versions differ
                message = Trouble("the script's process sent something that is no message", str(error))
            if message is None:
                return
            if isinstance(message, Answer):
                self._answer(message)
            else:
                self._emit(message)

    def _pump(self) -> None:
        assert self._terminal is not None
        self._terminal.pump(lambda data: self._emit(Output(data)))

    def _answer(self, answer: Answer) -> None:
        future = self._asked.pop(answer.request, None)
        if future is not None and future.set_running_or_notify_cancel():
            future.set_result(answer)

    def _watch(self, threads: list[threading.Thread]) -> None:
        self._await_end()
        with self._alive:
            if self._ending:
                with contextlib.suppress(
                    PermissionError
                ):  # what some systems say when only the dead are left
                    self._kill_group(signal.SIGKILL)
            _, status = os.waitpid(self.pid, 0)
            code = os.waitstatus_to_exitcode(status)
            self.exit_status = code if code >= 0 else 128 - code
        self._channel.close()
        if self._terminal is not None:
            self._terminal.finish()
        self._over.set()
        for thread in threads:
            thread.join()
        self._fail_asked()
        finish(self.trace, self.pid, self.exit_status)
        self._emit(Exited(self.exit_status))
        self._close()
        self._done.set()

    def _await_end(self) -> None:
        """Wait until the process has ended, but leave it to be reaped: until then its id is nobody else's."""
        with contextlib.suppress(ChildProcessError):
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)

    def _kill(self, number: int) -> None:
        with self._alive:
            if self.exit_status is None:
                self._kill_group(number)

    def _kill_group(self, number: int) -> None:
        if self._terminal is None:  # the group is ours
            os.kill(self.pid, number)
            return
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:  # it has not come to its setsid yet
            os.kill(self.pid, number)

    def _emit(self, event: Event) -> None:
        with self._events:
            if self._listener is None:
                self._keep(event)
                return
            try:
                self._listener(event)
            except Exception as error:  # the script must go on whatever became of the view
                self.listener_error = error
                self._listener = _ignore

    def _keep(self, event: Event) -> None:
        self._backlog.append(event)
        if isinstance(event, Output):
            self._backlog_bytes += len(event.data)
            self._events.wait_for(
                lambda: self._backlog_bytes < BACKLOG or self._listener is not None or self._ending
            )

    def _fail_asked(self) -> None:
        while self._asked:
            with contextlib.suppress(KeyError):
                future: Future[Any] = self._asked.popitem()[1]
                if future.set_running_or_notify_cancel():
                    future.set_exception(TargetError("the script has ended", "open its recording instead"))

    def _close(self) -> None:
        self._channel.release()
        if self._terminal is not None:
            self._terminal.close()


def _ignore(event: Event) -> None:
    """Take no notice."""
