"""The Diff tab on two recordings: the same batch of both, by line, op and gradient, and where they part first."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from tapeinspect.analysis.diff_marks import Place
from tapeinspect.analysis.recordings.compare import compare_step, facts
from tapeinspect.analysis.recordings.lines import LineMap, line_map
from tapeinspect.analysis.recordings.records import Firsts
from tapeinspect.errors import TraceError
from tapeinspect.trace.reader import TraceReader
from tapeinspect.ui.format import count, visible
from tapeinspect.ui.panes.comparing import Comparing
from tapeinspect.ui.panes.recordings_page import Code, Page, make_code, make_page
from tapeinspect.ui.panes.recordings_rows import PairRows, ValueRows
from tapeinspect.ui.panes.recordings_story import tell
from tapeinspect.ui.widgets.line_list import LineList, NoRows
from tapeinspect.ui.widgets.work import begin

if TYPE_CHECKING:
    from tapeinspect.ui.subject import Subject

_VERDICTS = {"same": "THE SAME", "rounding": "APART BY ROUNDING", "real": "DIFFERENT"}


class RecordingsPane(Comparing):
    """Both sources, the pairs of ops, loss and gradients of one batch."""

    @dataclass
    class BatchPicked(Message):
        """The user wants to view a batch."""

        batch: int

    def __init__(self, subject: Subject, other: TraceReader, id: str | None = None) -> None:
        super().__init__(id=id)
        self.make_parts()
        self.subject = subject
        self.other = other
        self.names = (subject.path.name, other.path.name)
        self.step: int | None = None
        self.page: Page | None = None
        self.shown: Code | None = None
        self.everything = True
        """Ops that are the same are listed, too."""
        self.firsts = Firsts()
        self.scanned = 0
        """Batches that have been compared."""
        self.facts: tuple[tuple[str, str, str], ...] = ()
        self.lines: LineMap | None = None
        self._closed = False

    # what is shown

    @property
    def has_content(self) -> bool:
        """Two batches are shown."""
        return self.page is not None

    @property
    def steps(self) -> int:
        """Batches that both recordings have."""
        reader = self.subject.reader
        return min(reader.counts.steps, self.other.counts.steps) if reader is not None else 0

    def on_mount(self) -> None:
        reader = self.subject.reader
        if reader is not None:
            self.facts = facts(reader, self.other)
            begin(self, self._scan, "scan")

    def on_unmount(self) -> None:
        self._closed = True

    def view(self, step: int | None, at_end: bool = False) -> None:
        """Show a batch of both."""
        same = step == self.step and self.page is not None
        self.step = step
        if not same:
            self._load()

    def grow(self) -> None:
        """A recording that still grows is looked at again when another batch is viewed."""

    def _load(self) -> None:
        reader, step = self.subject.reader, self.step
        try:
            if reader is None or step is None or not 1 <= step <= self.steps:
                self._wait()
                return
            if self.lines is None:
                self.lines = line_map(reader.files(), self.other.files())
            self.page = page = make_page(reader, self.other, step, self.lines)
            self._show(reader, page)
        except TraceError as error:
            self.subject.damaged(error)
        self.lay_out()

    def _wait(self) -> None:
        self.page = self.shown = None
        last = f"{self.names[1]} has {count(self.other.counts.steps, 'batch')}"
        self.code.clear(
            f"There is no batch {self.step} to compare with\n{last}"
            if self.step
            else "There is no batch to compare"
        )
        self.code.left.set_title("Diff")
        self.lay_out()

    def _show(self, reader: TraceReader, page: Page) -> None:
        self.shown = None
        begun = reader.step(page.sum.step)
        start = (begun.path, begun.line)
        if not any(self._show_code(*place) for place in (page.first_place(start), (start, 0))):
            self.code.clear("The source is not in the recordings\n--no-source left it out")
        self._show_ops()
        self._show_values()
        self.say_titles()
        self.tell()

    def _show_ops(self) -> None:
        page = self.page
        assert page is not None
        rows = PairRows(page, self.everything)
        first = next((i for i, pair in enumerate(rows.pairs) if pair.verdict == "real"), 0)
        self.ops.empty = "All ops of this batch are the same\nU lists them"
        self.ops.show(rows if len(rows) else NoRows(), first)

    def _show_values(self) -> None:
        self.values.show(ValueRows(self.page, self.firsts, self.scanned >= self.steps))

    def _show_code(self, place: Place, which: int) -> bool:
        """Show the function that holds a line of a recording; False when there is no source for it."""
        reader, page, lines = self.subject.reader, self.page, self.lines
        if reader is None or page is None or lines is None or place[0] is None or place[1] is None:
            return False
        if self.shown is None or not self.shown.holds(place, which):
            code = make_code((reader, self.other), self.names, page, lines, place, which)
            if code is None:
                return False
            self.shown = code
            self.code.show(code.left, code.right, code.links)
        side = self.code.side(1 if which else 0)
        if side.source:
            self.code.go_to(place[1] - side.first, 1 if which else 0)
        return True

    def say_titles(self) -> None:
        """Bring the titles up to date."""
        page = self.page
        if page is None:
            return
        found = page.sum
        more = "" if self.scanned >= self.steps else f" · {self.scanned} of {self.steps} batches compared"
        self.code.say(f"{_VERDICTS[found.verdict]} · batch {found.step}{more}")
        parts = ((found.real, "differ"), (found.rounding, "by rounding"), (found.only_first, "only first"),
                 (found.only_second, "only second"))  # fmt: skip
        note = ", ".join(f"{n} {words}" for n, words in parts if n)
        self.ops.set_title(f"Ops  {count(len(page.pairs), 'pair')}", note or "all the same")
        self.values.set_title(
            f"Values  batch {found.step}", "Enter goes to a batch" if self.values.has_focus else ""
        )

    def tell(self) -> None:
        """Tell the story of the row under the cursor of the focused list."""
        if self.page is not None:
            tell(self, self.page)

    # all batches

    async def _scan(self) -> None:
        """Compare batch by batch, in a thread of its own, to find where the two part first."""
        await asyncio.to_thread(self._compare_all)
        if self.page is not None and self.is_attached:
            self._show_values()
            self.say_titles()
            self.tell()

    def _compare_all(self) -> None:
        reader = self.subject.reader
        try:
            if reader is None:
                return
            lines = line_map(reader.files(), self.other.files())
            for step in range(1, self.steps + 1):
                if self._closed:
                    return
                self.firsts = self.firsts.along(compare_step(reader, self.other, step, lines)[0])
                self.scanned = step
        except TraceError:  # a damaged part, which the screen tells of by itself, or it has been closed
            return

    # what the user wants

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        """From an op to its line, from a first difference to its batch."""
        rows = event.owner.rows
        if event.owner is self.ops and isinstance(rows, PairRows):
            pair = rows.pairs[event.index]
            which = 0 if pair.first is not None else 1
            if self._show_code((pair.any.path, pair.any.line), which):
                self.go(self.code.lists[which])
        elif event.owner is self.values and isinstance(rows, ValueRows):
            batch = rows.values[event.index].batch
            if batch is not None:
                self.post_message(self.BatchPicked(batch))

    def code_chosen(self) -> None:
        """From a line to its ops."""
        place, rows, which = self._place(), self.ops.rows, self.code.active
        if place is None or not isinstance(rows, PairRows):
            return
        own = [
            (pair.verdict != "real", i)
            for i, pair in enumerate(rows.pairs)
            if (row := (pair.second if which else pair.first)) is not None and (row.path, row.line) == place
        ]
        if own:
            self.go(self.ops, min(own)[1])

    def toggle_folds(self) -> str:
        """List the ops that are the same, or only those that differ; what to say about it."""
        if self.page is None:
            return ""
        self.everything = not self.everything
        self._show_ops()
        return "" if self.everything else "Only ops that differ are listed."

    def toggle_functions(self) -> None:
        """There is no list of functions in two recordings."""
        self.app.notify("Enter on an op shows the function that it is in.", timeout=5)

    def place(self) -> tuple[str, int] | None:
        """File and line of the user's that the cursor is on."""
        rows = self.ops.rows
        if self.ops.has_focus and isinstance(rows, PairRows) and len(rows):
            row = rows.pairs[self.ops.cursor].any
            return (row.path, row.line) if row.path and row.line else None
        return self._place()

    def _place(self) -> tuple[str, int] | None:
        which, line = self.code.active, self.code.current.line
        path = self.shown.paths[which] if self.shown is not None else None
        return (path, self.code.side(which).first + line) if path is not None and line is not None else None

    def copy_record(self) -> object:
        """What `Y` copies."""
        ops, values = self.ops.rows, self.values.rows
        if self.ops.has_focus and isinstance(ops, PairRows) and len(ops):
            return ops.pairs[self.ops.cursor]
        if self.values.has_focus and isinstance(values, ValueRows) and len(values):
            return values.values[self.values.cursor]
        return self.page.sum if self.page is not None else None

    def edited(self) -> tuple[tuple[str, int], ...]:
        """(path, lines changed) of the files that differ."""
        return self.lines.edited if self.lines is not None else ()

    def titled(self) -> str:
        """The verdict of the batch in words."""
        return visible(_VERDICTS[self.page.sum.verdict]) if self.page is not None else ""
