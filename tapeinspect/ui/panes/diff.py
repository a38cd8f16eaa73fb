"""The Diff tab: where the traced step differs from the eager one, in code, in ops and in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tapeinspect.errors import TraceError
from tapeinspect.trace.diff_request import XLA_SHORT, XLA_WORDS, tally
from tapeinspect.trace.differences import Difference, DiffOp, Rewritten
from tapeinspect.ui.format import count, visible
from tapeinspect.ui.panes.asking import DIFF, ON_TOP
from tapeinspect.ui.panes.asking_pane import AskingPane
from tapeinspect.ui.panes.autograph_lists import FunctionRows
from tapeinspect.ui.panes.autograph_page import export_of
from tapeinspect.ui.panes.comparing import Comparing
from tapeinspect.ui.panes.diff_code import Code, make_code
from tapeinspect.ui.panes.diff_early import EarlyCode
from tapeinspect.ui.panes.diff_page import Page, make_page
from tapeinspect.ui.panes.diff_rows import OpPairRows, ValueRows
from tapeinspect.ui.panes.diff_story import VERDICTS
from tapeinspect.ui.panes.diff_telling import tell
from tapeinspect.ui.widgets.line_list import LineList, NoRows

if TYPE_CHECKING:
    from tapeinspect.ui.subject import Subject


class DiffPane(Comparing, AskingPane):
    """Both sources of the step, its ops and values, and the story of the row under the cursor."""

    def __init__(self, subject: Subject, id: str | None = None) -> None:
        AskingPane.__init__(self, subject, DIFF, id=id)
        self.make_parts()
        self.page: Page | None = None
        self.shown: Code | None = None
        """The function whose code is shown."""
        self.everything = False
        """The ops that are folded away are listed, too."""
        self.rewrites = True
        """What Grappler changed is listed among the ops."""
        self.on_top: dict[str, bool] = {}
        """What every question asks for on top: XLA, Grappler."""
        self._seen = -1
        self._early = EarlyCode()

    # what is shown

    @property
    def has_content(self) -> bool:
        """A comparison is shown."""
        return self.page is not None

    @property
    def waiting_words(self) -> str:
        """What stands in the place of the code."""
        return self.code.left.empty

    def view(self, step: int | None, at_end: bool = False) -> None:
        """Show the comparison of a batch, else the latest there is."""
        self._seen = -1
        super().view(step, at_end)

    def _found(self) -> Difference | None:
        reader = self.subject.reader
        found = reader.differences.all() if reader is not None else []
        own = [diff for diff in found if diff.step == self.step] or found
        return own[-1] if own else None

    def look(self) -> None:
        """Show what there is."""
        diff = self._found()
        if diff is None:
            self.page = self.shown = None
            self.wait()
        elif diff.id != self._seen:
            self._seen = diff.id
            self._show(diff)
        self.lay_out()

    def wait(self) -> None:
        """Show the code as soon as it is known, else say why there is nothing yet."""
        reader = self.subject.reader
        if reader is None or not self._early.show(reader, self.asking, self.code):
            self.code.clear(self.asking.words())
            self.code.left.set_title("Diff")

    def _show(self, diff: Difference) -> None:
        reader = self.subject.reader
        assert reader is not None
        same = self.page is not None and self.page.diff.id == diff.id
        self.page = page = make_page(reader, diff, self.everything)
        if not same:
            self._show_first(page)
        functions = FunctionRows(page.functions, page.flagged()) if page.functions else NoRows()
        self.functions.show(functions, cursor=None if same else 0)
        self._show_ops(keep=same)
        self.values.empty = "No output, gradient or variable was compared"
        self.values.show(ValueRows(page), None if same else 0)
        self.say_titles()
        self.tell()

    def _show_first(self, page: Page) -> None:
        """Begin with the line that matters, else with the step."""
        self.shown = None
        ran = next(((op.path, op.line) for op in page.ops if op.path is not None), None)
        places = (page.first_place(), (page.diff.path, page.diff.line), ran)
        if not any(place is not None and self._show_code(*place) for place in places):
            function = visible(page.diff.function)
            self.code.clear(
                f"The source of {function} is not in the recording\n"
                "It is a library's, it has none in a file, or --no-source left it out"
            )

    def _show_ops(self, keep: bool) -> None:
        page = self.page
        assert page is not None
        rows = OpPairRows(page, self.rewrites)
        first = next(
            (
                i
                for i, item in enumerate(rows.items)
                if isinstance(item, DiffOp) and item.id == page.diff.first_op
            ),
            0,
        )
        self.ops.empty = _no_ops(page)
        self.ops.show(rows, None if keep else first)

    def _show_code(self, path: str | None, line: int | None) -> bool:
        """Show the function that holds a line, the cursor on it; False when there is no source for it."""
        page, reader = self.page, self.subject.reader
        assert page is not None and reader is not None
        if self.shown is not None and self.shown.holds(path, line) and self.code.left.code is not None:
            self.code.go_to((line or 1) - self.shown.first)
            return True
        try:
            code = make_code(reader, page, path, line)
        except TraceError as error:
            self.subject.damaged(error)
            return False
        if code is None:
            return False
        self.shown = code
        self.code.show(
            code.left, code.right, code.links, code.anchors, line=(line or code.first) - code.first
        )
        self.say_titles()
        return True

    def say_titles(self) -> None:
        """Bring the titles up to date."""
        page = self.page
        if page is None:
            return
        word, _ = VERDICTS[page.diff.verdict]
        batch = f" · batch {page.diff.step}" if page.diff.step is not None else ""
        of = "" if self.code.one else f"the loop on line {page.body.line}: " if page.body is not None else ""
        loop = f" · {of}M as a function" if page.body is not None else ""
        self.code.say(self.asking.progress() or f"{word}{batch}{loop}")
        self.functions.set_title(f"Functions  {count(len(page.functions), 'function')}", f"{word}{batch}")
        notes = [f"{len(page.rewritten)} by Grappler"] if page.rewritten is not None else []
        notes += [f"U: {page.folded} more"] if page.folded else []
        self.ops.set_title(f"Ops  {count(len(page.ops), 'pair')}", " · ".join(notes))
        xla = XLA_SHORT[page.compiled.verdict] if page.compiled is not None else ""
        self.values.set_title(f"Values  {len(page.values)}", xla)

    def tell(self) -> None:
        """Tell the story of the row under the cursor of the focused list."""
        if self.page is not None:
            tell(self, self.page)

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        """From an op to its line, from a function to its code."""
        rows = self.ops.rows
        if event.owner is self.ops and isinstance(rows, OpPairRows):
            item = rows.items[event.index]
            self.go_to(item.path, item.line)
        elif event.owner is self.functions and (function := self.functions.function) is not None:
            self.go_to(function.path, function.line)

    def go_to(self, path: str | None, line: int | None) -> bool:
        """Show a line of the user's; False when there is no source for it."""
        if self.page is None or path is None or line is None or not self._show_code(path, line):
            return False
        self.code.activate(0)
        self.go(self.code.left)
        return True

    def code_chosen(self) -> None:
        """From a line to its ops, or to what it calls."""
        place, rows, page = self.place(), self.ops.rows, self.page
        if place is None or page is None:
            return
        if isinstance(rows, OpPairRows) and (at := rows.index_of(*place)) is not None:
            self.go(self.ops, at)
        elif (called := page.called_mark(*place)) is not None and self._show_code(*called[1]):
            self.go(self.code.left)

    # what the user wants

    def toggle_folds(self) -> str:
        """Show what is folded away of the code or of the ops, or fold it again; what to say about it."""
        if self.page is None:
            return ""
        if any(part.has_focus for part in self.code.lists):
            if not self.code.has_folds:
                return "Nothing is folded here."
            return "Every generated line is shown." if self.code.toggle_folds() else ""
        self.everything = not self.everything
        self._show(self.page.diff)
        return "Constants, shapes and plumbing are listed, too." if self.everything else ""

    def toggle_functions(self) -> None:
        """Go to the list of functions, or back to the code."""
        if self.page is not None:
            self.list_functions(not self.listing)

    def has_asked_for(self, name: str) -> bool:
        """What XLA or Grappler makes of the step is there."""
        page = self.page
        return page is not None and (page.compiled if name == "xla" else page.rewritten) is not None

    def ask_for(self, name: str) -> str:
        """Show what XLA or Grappler makes of the step, asking the script for it; why not, "" when that can be done."""
        page, called = self.page, ON_TOP[name]
        if page is None or page.diff.verdict == "fails_to_trace":
            there = page is not None
            return f"{called} gets a traced step: {'this one cannot be traced' if there else 'compare it first'}."
        if name == "xla" and page.compiled is not None:
            self.go(self.values)
            return ""
        if name == "grappler" and page.rewritten is not None:
            self.rewrites = not self.rewrites or not self.ops.has_focus
            self._show_ops(keep=False)
            rows = self.ops.rows
            items = rows.items if isinstance(rows, OpPairRows) else ()
            self.go(self.ops, next((i for i, item in enumerate(items) if isinstance(item, Rewritten)), None))
            return "" if self.rewrites else "What Grappler changed is not listed; O lists it."
        if self.subject.recording:
            return (
                f"This recording was made without {called}: tapeinspect diff --{name} -o FILE SCRIPT has it."
            )
        if not self.ask_again({name: True}):
            return "It can be asked for while the script runs, one at a time."
        return f"The step is compared once more, with {called}."

    def ask_again(self, options: Mapping[str, Any] | None = None) -> bool:
        """Ask the script to compare on the viewed batch, with what was asked for before on top."""
        wanted = {**self.on_top, **(options or {})}
        self._early.begin(self.subject.reader)
        if not super().ask_again(wanted):
            return False
        self.on_top = wanted
        return True

    def answered(self, options: Mapping[str, Any]) -> None:
        """Say what came of it."""
        page = self.page
        if page is None or not options:
            return
        found = []
        if page.compiled is not None:
            found.append(f"XLA: {XLA_WORDS[page.compiled.verdict]}")
        if page.rewritten is not None:
            found.append(f"Grappler: {tally(page.rewritten)}")
        self.app.notify("\n".join(found) or visible("\n".join(page.diff.notes)), timeout=8, markup=False)

    # what can be taken away
    @property
    def step_shown(self) -> int | None:
        """The batch that is compared."""
        return self.page.diff.step if self.page is not None else None

    def place(self) -> tuple[str, int] | None:
        """File and line of the user's that the cursor is on."""
        item, code = self.item_here(), self.shown
        if item is not None:
            return (item.path, item.line) if item.path and item.line else None
        if code is None or code.path is None:
            return None
        return code.path, code.first + (self.code.own_line or 0)

    def item_here(self) -> DiffOp | Rewritten | None:
        """What is under the cursor of the ops, when they have the focus."""
        rows = self.ops.rows
        return (
            rows.items[self.ops.cursor]
            if self.ops.has_focus and isinstance(rows, OpPairRows) and len(rows)
            else None
        )

    def copy_record(self) -> object:
        """What `Y` copies."""
        rows = self.values.rows
        if (item := self.item_here()) is not None:
            return item
        if self.values.has_focus and isinstance(rows, ValueRows) and len(rows):
            return rows.values[self.values.cursor]
        return self.page.diff if self.page is not None else None

    def export(self) -> tuple[str, str] | None:
        """Name of a file and the generated source to write into it."""
        converted = self.shown.converted if self.shown is not None else None
        return export_of(converted.shown) if converted is not None else None


def _no_ops(page: Page) -> str:
    if page.diff.verdict == "fails_to_trace":
        return "There is no graph to compare with: the step cannot be traced\nThe marked line says why"
    return "The ops were not compared one by one\n" + (visible(page.diff.notes[0]) if page.diff.notes else "")
