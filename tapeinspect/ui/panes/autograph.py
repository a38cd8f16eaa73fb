"""The AutoGraph tab: the user's source beside what AutoGraph makes of it, and what became of every line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tapeinspect.errors import TraceError
from tapeinspect.trace.records import AutographRun, Finding
from tapeinspect.ui.format import count, visible
from tapeinspect.ui.panes.autograph_lists import FunctionRows
from tapeinspect.ui.panes.autograph_page import (
    Page,
    export_of,
    findings_of,
    flagged_lines,
    make_page,
    next_flagged,
    problems_of,
)
from tapeinspect.ui.panes.autograph_parts import AutographParts
from tapeinspect.ui.panes.autograph_telling import tell_code, tell_function, tell_trace
from tapeinspect.ui.widgets.line_list import LineList, NoRows

if TYPE_CHECKING:
    from tapeinspect.ui.subject import Subject


class AutographPane(AutographParts):
    """Functions, their two sources, and the story of the line under the cursor."""

    def __init__(self, subject: Subject, id: str | None = None) -> None:
        super().__init__(subject, id)
        self.problems: list[Finding] = []
        """What of the step does not survive tracing."""
        self.page: Page | None = None
        self.list.at_once = self._function_moved
        self.traces.at_once = self.tell
        self.code.at_once = self.tell
        self._seen = (-1, -1, -1)
        self._surveyed = False
        """What does not survive tracing has been asked for, of the run that is shown."""

    # what is shown

    @property
    def has_content(self) -> bool:
        """A run of AutoGraph is shown."""
        return self.run_shown is not None

    @property
    def waiting_words(self) -> str:
        """What stands in the place of the code."""
        return self.code.left.empty

    def left_to_ask(self) -> tuple[Sequence[str], int | None] | None:
        """What does not survive tracing, when the run came with a comparison, which does not look for that."""
        reader, run = self.subject.reader, self.run_shown
        if reader is None or run is None or self._surveyed:
            return None
        known = run.status == "converted" or any(survey.step == run.step for survey in reader.surveys())
        of_comparison = reader.differences.has_run(run.id)
        self._surveyed = known or of_comparison
        return (("tracing",), run.step) if of_comparison and not known else None

    def look(self) -> None:
        """Look for what the recording has got since."""
        reader = self.subject.reader
        run = reader.autograph.latest(self.step) if reader is not None else None
        traces = reader.traces() if reader is not None else []
        surveys = reader.surveys() if reader is not None else []
        seen = (run.id if run is not None else 0, len(traces), len(surveys))
        if seen == self._seen:
            self.say_titles()
            return
        before, self._seen = self._seen, seen
        if seen[1] != before[1]:
            self.traces.list_all(self.subject.reader)
        if run is None:
            self.wait()
        else:
            self._show_run(run)
        self.lay_out()

    def wait(self) -> None:
        """Say why there is nothing yet."""
        self.run_shown, self.functions, self.page = None, [], None
        self.card.failure = None
        self.code.clear(self.asking.words())
        self.code.left.set_title("AutoGraph")

    def _show_run(self, run: AutographRun) -> None:
        reader = self.subject.reader
        assert reader is not None
        same = self.run_shown is not None and self.run_shown.id == run.id
        self._surveyed = self._surveyed and same
        before = self.page.function.id if same and self.page is not None else None
        self.run_shown = run
        self.functions = reader.autograph.functions(run.id)
        self.problems = problems_of(reader, run)
        flagged = frozenset(f.id for f in self.functions if findings_of(self.problems, run, f))
        failure = reader.autograph.failure(run.id)
        self.card.failure = None
        if failure is not None:
            self.card.say(failure)
        at = (
            self._index_of(before)
            if before is not None
            else self._first(failure.path, failure.line)
            if failure
            else 0
        )
        rows = FunctionRows(self.functions, flagged) if self.functions else NoRows()
        self.say_titles()
        self.page = None if not same else self.page
        self.list.show(rows, cursor=at)
        self._choose(failure.line if failure is not None and not same else None)

    def say_titles(self) -> None:
        """Bring the titles up to date."""
        run = self.run_shown
        if run is None:
            return
        made = sum(f.status == "converted" for f in self.functions)
        title = f"Functions  {count(len(self.functions), 'function')} · {made} converted"
        notes = [self.asking.progress()]
        if run.step is not None:
            notes.append(f"arguments of batch {run.step}")
        reader = self.subject.reader
        if reader is not None and reader.loop_bodies.of_step(run.step) is not None:
            notes.append("a loop's body: M as a function")
        can_ask = self.subject.live and self.step is not None and self.step <= self.subject.ended_steps
        if run.step != self.step and can_ask and not self.asking.open:
            notes.append("r traces this batch")
        self.list.set_title(title, " · ".join(note for note in notes if note))
        place = f"{self.list.cursor + 1} of {count(len(self.functions), 'function')}"
        self.code.say(self.asking.progress() or place if self.low else "")

    def _index_of(self, function: int) -> int:
        return next((i for i, known in enumerate(self.functions) if known.id == function), 0)

    def _first(self, path: str | None, line: int | None) -> int:
        """Index of the innermost function that holds a line; 0 when none does."""
        found = [
            (known.line or 0, i)
            for i, known in enumerate(self.functions)
            if known.path == path and line is not None and (known.line or 0) <= line <= (known.end_line or 0)
        ]
        return max(found)[1] if found else 0

    # the chosen function

    def _function_moved(self) -> None:
        if self.list.has_focus:
            self._choose()
            self.tell()

    def _choose(self, line: int | None = None) -> None:
        """Show the sources of the function under the list's cursor, at a line of its file."""
        function, reader, run = self.list.function, self.subject.reader, self.run_shown
        if reader is None or run is None:
            return
        if function is None:
            self.code.clear(
                f"{visible(run.note)}\n{visible(run.hint)}" if run.note else "No function was met"
            )
            self.tell()
            return
        before = self.page
        try:
            self.page = page = make_page(reader, run, function, self.functions, self.problems)
        except TraceError as error:
            self.subject.damaged(error)
            return
        if before is not None and before.shown.id == page.shown.id and before.run.id == run.id:
            self.code.update_sides(page.left, page.right)
            if before.function.id != function.id:
                self.code.go_to((function.line or 1) - page.left.first)
        else:
            at = (line or function.line or 1) - page.left.first
            self.code.show(page.left, page.right, page.links, page.anchors, line=at)
        self.say_titles()
        self.tell()

    def on_descendant_focus(self) -> None:
        self.tell()

    def tell(self) -> None:
        """Tell the story of what the cursor is on."""
        if self.view_of == "traces":
            tell_trace(self.story, self.traces.trace)
        elif self.list.has_focus and self.list.function is not None:
            tell_function(self.story, self.list.function, self.run_shown)
        else:
            tell_code(self.story, self.page, self.code)

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        if event.owner is self.list:
            self._choose()
            self.zoomed, self.view_of = None, "code"
            self.lay_out()
            self.code.current.focus()
        elif event.owner is self.traces and (trace := self.traces.trace) is not None:
            self._go_to(trace.path, trace.line)
        elif event.owner is self.card and (place := self.card.place()) is not None:
            self._go_to(*place)

    def _go_to(self, path: str | None, line: int | None) -> None:
        if path is not None and line is not None:
            self.go_to(path, line)

    def go_to(self, path: str, line: int) -> bool:
        """Show a line of the user's in the function that holds it; False when none does."""
        held = (
            known.path == path and (known.line or 0) <= line <= (known.end_line or 0)
            for known in self.functions
        )
        if not any(held):
            return False
        self.unzoom()
        self.list.move_to(self._first(path, line), by_user=False)
        self._choose()
        self.view_of = "code"
        self.lay_out()
        if self.page is not None:
            self.code.go_to(line - self.page.left.first)
        self.code.left.focus()
        return True

    def go_to_flagged(self, direction: int) -> str:
        """Go to the next line, or the one before for -1, that something is said of; what to say when there is none."""
        run, page = self.run_shown, self.page
        if run is None:
            return "Nothing has been traced yet."
        flagged = flagged_lines(self.problems, run, self.functions)
        if not flagged:
            return "No line is flagged: all of it survives tracing."
        here = None
        if page is not None and page.shown.path:
            here = page.shown.path, page.number(self.code.own_line or 0)
        self.go_to(*next_flagged(flagged, here, direction))
        return ""

    # what the user wants

    @property
    def step_shown(self) -> int | None:
        """The batch whose step is shown."""
        return self.run_shown.step if self.run_shown is not None else None

    def toggle_folds(self) -> str:
        """Open or close the folds; what to say about it."""
        if not self.code.has_folds:
            return "Nothing is folded here."
        return "Every generated line is shown." if self.code.toggle_folds() else ""

    def other_side(self) -> None:
        """Go to the other of the two sources."""
        self.code.cross()

    def place(self) -> tuple[str, int] | None:
        """File and line of the user's that the cursor is on."""
        if self.card.has_focus:
            return self.card.place()
        if self.view_of == "traces":
            return self.traces.place()
        page = self.page
        if page is None or not page.shown.path:
            return None
        if self.list.has_focus:
            function = page.function
            return (function.path, function.line) if function.path and function.line else None
        return page.shown.path, page.number(self.code.own_line or 0)

    def copy_record(self) -> object:
        """What `Y` copies: the function with its sources."""
        return self.page.function if self.page is not None else None

    def export(self) -> tuple[str, str] | None:
        """Name of a file and the generated source to write into it."""
        return export_of(self.page.shown) if self.page is not None else None
