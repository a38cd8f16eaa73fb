"""A target that runs nothing: the test says what it says, and sees what it is told."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

from tapeinspect.errors import TargetError
from tapeinspect.link.messages import Answer, Message, Request
from tapeinspect.session.target import Exited, Output
from tapeinspect.ui.subject import Inbox


class FakeTarget:
    """Stands in for `tapeinspect.session.target.Target`."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace
        self.inbox = Inbox()
        self.pid = 4711
        self.exit_status: int | None = None
        self.sent: list[Message] = []
        self.asked: list[Request] = []
        self.answers: dict[type, Answer] = {}
        self.held: dict[type, list[Future[Answer]]] = {}
        """Kinds of requests that are not answered until the test says so."""
        self.typed = b""
        self.size = (0, 0)
        self.ended = False

    def say(self, *events: Message | Output | Exited) -> None:
        """What the target says next."""
        for event in events:
            self.inbox.put(event)

    def exit(self, status: int) -> None:
        """The script ends."""
        self.exit_status = status
        self.say(Exited(status))

    def send(self, message: Message) -> None:
        self.sent.append(message)

    def ask(self, request: Request) -> Future[Answer]:
        self.asked.append(request)
        future: Future[Answer] = Future()
        if type(request) in self.held:
            self.held[type(request)].append(future)
            return future
        answer = self.answers.get(type(request))
        if answer is None:
            future.set_exception(TargetError("the script has ended"))
        else:
            future.set_result(answer)
        return future

    def hold(self, kind: type) -> None:
        """Do not answer requests of a kind until `answer` is called."""
        self.held[kind] = []

    def answer(self, answer: Answer) -> None:
        """Answer the oldest request that is held."""
        waiting = next(futures for futures in self.held.values() if futures)
        waiting.pop(0).set_result(answer)

    def write_input(self, data: bytes) -> None:
        self.typed += data

    def resize(self, columns: int, rows: int) -> None:
        self.size = (columns, rows)

    def interrupt(self) -> None:
        self.sent.append(None)  # type: ignore[arg-type]

    def drain(self, timeout: float | None = None) -> bool:
        return True

    def end(self, grace: float = 2.0) -> None:
        self.ended = True
