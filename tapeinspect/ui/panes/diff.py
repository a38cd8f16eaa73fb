"""The Diff tab: where the traced step differs from the eager one, in code, in ops and in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from tapeinspect.errors import TraceError
from tapeinspect.trace.differences import Difference
from tapeinspect.ui.format import count, visible
from tapeinspect.ui.highlight import coloured_lines
from tapeinspect.ui.panes.asking import DIFF, Asking
from tapeinspect.ui.panes.autograph_lists import Story
from tapeinspect.ui.panes.diff_page import Page, make_page
from tapeinspect.ui.panes.diff_rows import CodeRows, OpPairRows, ValueRows
from tapeinspect.ui.panes.diff_story import VERDICTS, line_story, op_story, value_story, whole_story
from tapeinspect.ui.widgets.line_list import LineList, NoRows
from tapeinspect.ui.widgets.work import begin

if TYPE_CHECKING:
    from tapeinspect.ui.subject import Subject

NARROW = 110
"""Columns below which code, ops and values take turns."""


class DiffPane(Vertical):
    """Code, ops and values of one comparison, and the story of the row under the cursor."""

    DEFAULT_CSS = """
    DiffPane { height: 1fr; }
    DiffPane #diff-body { height: 1fr; }
    DiffPane #diff-right { width: 1fr; }
    DiffPane #diff-values { height: 45%; }
    DiffPane Story { height: 8; }
    DiffPane.-low Story { height: 6; }
    """

    def __init__(self, subject: Subject, id: str | None = None) -> None:
        super().__init__(id=id)
        self.subject = subject
        self.step: int | None = None
        self.page: Page | None = None
        self.everything = False
        """The ops that are folded away are listed, too."""
        self.alone = 0
        """Which of the lists is shown where there is room for one."""
        self.asking = Asking(subject, DIFF)
        self.code = LineList(id="diff-code")
        self.ops = LineList(id="diff-ops")
        self.values = LineList(id="diff-values")
        self.story = Story(id="diff-story")
        self.lists = (self.code, self.ops, self.values)
        for part in self.lists:
            part.at_once = self._tell
        self._seen = -1

    def compose(self) -> ComposeResult:
        with Horizontal(id="diff-body"):
            yield self.code
            with Vertical(id="diff-right"):
                yield self.ops
                yield self.values
        yield self.story

    def on_mount(self) -> None:
        self.set_interval(0.5, self._remind)
        self._arrange()

    # what is shown

    @property
    def narrow(self) -> bool:
        """There is room for one list only."""
        return 0 < self.size.width < NARROW

    @property
    def front(self) -> LineList:
        """The list that has the focus when the tab is opened."""
        return self.lists[self.alone] if self.narrow else self.code

    def on_resize(self) -> None:
        self.set_class(self.size.height < 24, "-low")
        self._arrange()

    def _arrange(self) -> None:
        empty = self.page is None
        for index, part in enumerate(self.lists):
            part.display = index == 0 if empty else not self.narrow or index == self.alone
        self.query_one("#diff-right").display = not empty and (not self.narrow or self.alone > 0)
        self.values.styles.height = "1fr" if self.narrow else "45%"
        self.story.display = not empty
        self._say_titles()

    def other_side(self) -> None:
        """Go to the next of code, ops and values."""
        if self.page is None:
            return
        focused = next((i for i, part in enumerate(self.lists) if part.has_focus), self.alone)
        self.alone = (focused + 1) % len(self.lists)
        self._arrange()
        self.lists[self.alone].focus()
        self._tell()

    def toggle_folds(self) -> str:
        """List the ops that are folded away, or fold them again; what to say about it."""
        if self.page is None:
            return ""
        self.everything = not self.everything
        self._show(self.page.diff)
        return "Constants, shapes and plumbing are listed, too." if self.everything else ""

    def view(self, step: int | None, at_end: bool = False) -> None:
        """Show the comparison of a batch, else the latest there is."""
        self.step = step
        self._seen = -1
        self._load()
        self._ask_if_nothing_is_there()

    def grow(self) -> None:
        """The recording has grown."""
        if self.has_class("-active"):
            self._load()
            self._ask_if_nothing_is_there()

    def _found(self) -> Difference | None:
        reader = self.subject.reader
        found = reader.differences.all() if reader is not None else []
        own = [diff for diff in found if diff.step == self.step] or found
        return own[-1] if own else None

    def _load(self) -> None:
        diff = self._found()
        if diff is None:
            self.page = None
            self._wait()
        elif diff.id != self._seen:
            self._seen = diff.id
            try:
                self._show(diff)
            except TraceError as error:
                self.subject.damaged(error)
        self._arrange()

    def _wait(self) -> None:
        self.code.set_title("Diff")
        self.code.empty = self.asking.words()
        self.code.rows = NoRows()
        self.code.resize_rows()
        self.code.repaint()

    def _show(self, diff: Difference) -> None:
        reader = self.subject.reader
        assert reader is not None
        same = self.page is not None and self.page.diff.id == diff.id
        self.page = page = make_page(reader, diff, self.everything)
        if page.source:
            wrong = next((f.line for f in page.findings if f.path == diff.path and f.line), None)
            at = None if same else max(0, (wrong or page.first) - page.first)
            self.code.show(CodeRows(page, coloured_lines(page.source)), at)
        else:
            self.code.empty = "The source of the step is not in the recording"
            self.code.rows = NoRows()
        first = next((i for i, op in enumerate(page.ops) if op.id == diff.first_op), 0)
        self.ops.empty = _no_ops(page)
        self.ops.show(OpPairRows(page), None if same else first)
        self.values.empty = "No output, gradient or variable was compared"
        self.values.show(ValueRows(page.all_values), None if same else 0)
        self._say_titles()
        self._tell()

    def _say_titles(self) -> None:
        page = self.page
        if page is None:
            return
        word, _ = VERDICTS[page.diff.verdict]
        batch = f"batch {page.diff.step}" if page.diff.step is not None else ""
        hints = ["M as a function"] if page.body is not None else []
        hints += ["x ops"] if self.narrow else []
        name = page.diff.function if page.body is None else f"The loop on line {page.body.line}"
        self.code.set_title(f"{visible(name)}  {word} · {batch}", self.asking.progress() or " · ".join(hints))
        self.ops.set_title(
            f"Ops  {count(len(page.ops), 'pair')}", f"U lists {page.folded} more" if page.folded else ""
        )
        self.values.set_title(
            f"Values  {count(len(page.all_values), 'value')}", "x code" if self.narrow else ""
        )

    def _remind(self) -> None:
        """Bring up to date what is waited for."""
        if not self.has_class("-active"):
            return
        if self.page is None:
            words = self.asking.words()
            if words != self.code.empty:
                self._wait()
            self._ask_if_nothing_is_there()
        else:
            self._say_titles()

    def on_descendant_focus(self) -> None:
        self._tell()

    def _tell(self) -> None:
        """Tell the story of the row under the cursor of the focused list."""
        page = self.page
        if page is None:
            return
        ops, values = self.ops.rows, self.values.rows
        word, _ = VERDICTS[page.diff.verdict]
        if self.ops.has_focus and isinstance(ops, OpPairRows) and len(ops):
            op = ops.ops[self.ops.cursor]
            self.story.tell(visible(op.type), lambda p, w: op_story(page, op, p, w))
        elif self.values.has_focus and isinstance(values, ValueRows) and len(values):
            value = values.values[self.values.cursor]
            self.story.tell(value.kind, lambda p, w: value_story(value, p, w))
        elif isinstance(self.code.rows, CodeRows):
            line = page.first + self.code.cursor
            title = f"line {line}" if page.mark(line) or page.line(line) else word
            self.story.tell(title, lambda p, w: line_story(page, line, p, w))
        else:
            self.story.tell(word, lambda p, w: whole_story(page, p, w))

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        """From a line to its ops, from an op to its line."""
        page, ops = self.page, self.ops.rows
        if page is None or not isinstance(ops, OpPairRows):
            return
        if event.owner is self.code:
            line = page.first + event.index
            at = next(
                (i for i, op in enumerate(ops.ops) if (op.path, op.line) == (page.diff.path, line)), None
            )
            if at is not None:
                self._go(1, at)
        elif event.owner is self.ops and (line_of := ops.ops[event.index].line) is not None:
            self._go(0, line_of - page.first)

    def _go(self, which: int, row: int) -> None:
        part = self.lists[which]
        if not 0 <= row < len(part.rows):
            return
        self.alone = which
        self._arrange()
        part.move_to(row)
        part.focus()

    # what the user wants

    @property
    def step_shown(self) -> int | None:
        """The batch that is compared."""
        return self.page.diff.step if self.page is not None else None

    def place(self) -> tuple[str, int] | None:
        """File and line of the user's that the cursor is on."""
        page, ops = self.page, self.ops.rows
        if page is None:
            return None
        if self.ops.has_focus and isinstance(ops, OpPairRows) and len(ops):
            op = ops.ops[self.ops.cursor]
            return (op.path, op.line) if op.path and op.line else None
        return (page.diff.path, page.first + self.code.cursor) if page.diff.path else None

    def copy_record(self) -> object:
        """What `Y` copies."""
        page, ops, values = self.page, self.ops.rows, self.values.rows
        if page is None:
            return None
        if self.ops.has_focus and isinstance(ops, OpPairRows) and len(ops):
            return ops.ops[self.ops.cursor]
        if self.values.has_focus and isinstance(values, ValueRows) and len(values):
            return values.values[self.values.cursor]
        return page.diff

    # asking the script

    def _ask_if_nothing_is_there(self) -> None:
        if (
            self.page is None
            and self.has_class("-active")
            and self.asking.possible
            and not self.asking.trouble
        ):
            self.ask_again()

    def ask_again(self) -> bool:
        """Ask the script to compare on the viewed batch; False when it cannot be asked."""
        if not self.asking.possible:
            return False
        begin(self, self._ask, "ask")
        return True

    async def _ask(self) -> None:
        await self.asking.ask(self.step)
        if self.asking.trouble and self.page is not None:
            self.app.notify(self.asking.trouble, severity="warning", timeout=8, markup=False)
        if self.subject.reader is not None:
            self.subject.reader.refresh()
        self._load()
        self._remind()


def _no_ops(page: Page) -> str:
    if page.diff.verdict == "fails_to_trace":
        return "There is no graph to compare with: the step cannot be traced\nThe marked line says why"
    return "The ops were not compared one by one\n" + (visible(page.diff.notes[0]) if page.diff.notes else "")
