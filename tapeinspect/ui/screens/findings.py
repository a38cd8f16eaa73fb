"""Everything that was found, with the batch, the line, the figures and the suggested change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from tapeinspect.trace.records import Finding
from tapeinspect.ui.format import basename, count, visible
from tapeinspect.ui.palette import Palette
from tapeinspect.ui.widgets.cells import Line, fit, wrap
from tapeinspect.ui.widgets.line_list import LineList, TextRows

if TYPE_CHECKING:
    from tapeinspect.ui.findings import Findings
    from tapeinspect.ui.subject import Subject

_MARKS = {"error": ("✖", "bad"), "warning": ("!", "warn"), "info": ("i", "info")}


class FindingRows:
    """A row for each finding."""

    def __init__(self, found: Sequence[Finding]) -> None:
        self.found = found
        self._rule = max((len(item.rule) for item in found), default=0)
        self._place = min(28, max((len(place(item)) for item in found), default=0))

    def __len__(self) -> int:
        return len(self.found)

    def line(self, index: int, width: int, palette: Palette) -> Line:
        item = self.found[index]
        mark, tone = _MARKS[item.severity]
        line: Line = [(f" {mark} ", getattr(palette, tone)), (fit(item.rule, self._rule + 2), palette.text)]
        line.append((fit(place(item), self._place + 2), palette.accent))
        batch = f"batch {item.step}" if item.step is not None else ""
        line.append((fit(batch, 12), palette.muted))
        room = width - 3 - self._rule - self._place - 16
        if room > 12:
            line.append((fit(visible(item.message), room), palette.muted))
        return line


def place(item: Finding) -> str:
    """File and line: `train.py:31`."""
    if item.path is None:
        return ""
    name = visible(basename(item.path) or item.path)
    return name if item.line is None else f"{name}:{item.line}"


def story(item: Finding, source: str | None, width: int, palette: Palette) -> list[Line]:
    """All that a finding says, the line of the source among it."""
    mark, tone = _MARKS[item.severity]
    lines: list[Line] = [[(f" {mark} {item.rule}", getattr(palette, tone))]]
    if item.path is not None:
        lines.append([(f" {visible(item.path)}" + (f":{item.line}" if item.line else ""), palette.muted)])
    code = _code(source, item.line)
    if code:
        lines += [[], [(f"   {code}", palette.text)]]
    lines.append([])
    lines += [[(f" {part}", palette.text)] for part in wrap(visible(item.message), max(20, width - 2))]
    if item.hint:
        lines.append([])
        lines += [
            [(f" {part}", palette.good)] for part in wrap("→ " + visible(item.hint), max(20, width - 2))
        ]
    return lines


def _code(source: str | None, line: int | None) -> str:
    lines = (source or "").splitlines()
    return visible(lines[line - 1].strip()) if line is not None and 0 < line <= len(lines) else ""


class FindingsList(LineList):
    """The findings."""

    def copy_text(self) -> str:
        """What `y` copies: the whole finding."""
        item = self.here
        if item is None:
            return ""
        where = f"{item.path}:{item.line}" if item.path is not None else ""
        return "\n".join(
            part for part in (f"{item.severity} {item.rule}", where, item.message, item.hint) if part
        )

    def copy_record(self) -> object:
        """What `Y` copies."""
        return self.here

    @property
    def here(self) -> Finding | None:
        """The finding under the cursor."""
        return self.rows.found[self.cursor] if isinstance(self.rows, FindingRows) and len(self.rows) else None


class StoryList(LineList):
    """What the selected finding says."""

    has_cursor = False
    can_focus = False

    def on_resize(self) -> None:
        super().on_resize()
        if isinstance(screen := self.screen, FindingsScreen):
            screen.tell()


class FindingsScreen(ModalScreen["Finding | None"]):
    """The findings over the main screen; Enter gives the one to go to."""

    DEFAULT_CSS = """
    FindingsScreen { align: center middle; background: $background 60%; }
    FindingsScreen Vertical { width: 96%; max-width: 150; height: 94%; background: $surface; }
    FindingsScreen.-slim Vertical { width: 100%; }
    FindingsScreen FindingsList { background: $surface; height: 2fr; }
    FindingsScreen StoryList { background: $surface; height: 3fr; min-height: 9; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,f,ctrl+q", "dismiss", "Close", show=False),
        Binding("y", "copy(False)", "Copy", show=False),
        Binding("Y", "copy(True)", "Copy JSON", show=False),
        Binding("e", "edit", "Edit", show=False),
    ]

    def __init__(self, subject: Subject, findings: Findings) -> None:
        super().__init__()
        self.subject = subject
        self.findings = findings
        self.found: Sequence[Finding] = findings.found
        self.list = FindingsList(id="findings", title="Findings")
        self.list.note = "Enter goes there · y copies · e edits · Esc closes"
        self.list.at_once = self.tell
        self.story = StoryList(id="story", title="")

    def compose(self) -> ComposeResult:
        with Vertical():
            yield self.list
            yield self.story

    def on_mount(self) -> None:
        self.list.focus()
        self.set_interval(0.2, self._follow)

    def _follow(self) -> None:
        """Take over what has been found since."""
        if self.findings.found is not self.found or self._nothing() != self.list.empty:
            self._fill()

    def _nothing(self) -> str:
        if self.findings.looked:
            return f"No findings so far\nThe rules have looked at {count(self.subject.counts.steps, 'batch')}"
        if self.findings.running:
            return "Looking at the batches …\nIt takes up to a few seconds for a long recording"
        return "No batch has been looked at yet\nThey are looked at when the script pauses or ends"

    def on_resize(self) -> None:
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        self.found = self.findings.found
        self.story.display = bool(self.found)
        self.list.empty = self._nothing()
        self.list.show(FindingRows(self.found))
        self.tell()

    def tell(self) -> None:
        """Show what the finding under the cursor says."""
        item = self.list.here
        if item is None:
            return
        self.story.show(
            TextRows(story(item, self._source(item), self.story.inner_width, self.story.palette)), cursor=0
        )

    def _source(self, item: Finding) -> str | None:
        reader = self.subject.reader
        if reader is None or item.path is None:
            return None
        return next((file.source for file in reader.files() if file.path == item.path), None)

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        event.stop()
        self.dismiss(self.list.here)

    def action_copy(self, as_json: bool) -> None:
        item = self.list.here
        if item is None:
            return
        if as_json:
            import json

            from tapeinspect.ui.screens.deeds import jsonable

            self.app.copy_to_clipboard(json.dumps(jsonable(item), indent=2, ensure_ascii=False))
        else:
            self.app.copy_to_clipboard(self.list.copy_text())
        self.notify(f"Copied: {item.rule}", timeout=5, markup=False)

    def action_edit(self) -> None:
        from textual.app import SuspendNotSupported

        from tapeinspect.ui.editor import EditorError, check_editor, run_editor

        item = self.list.here
        if item is None or item.path is None:
            return
        try:
            check_editor(item.path)
            with self.app.suspend():
                run_editor(item.path, item.line or 1)
        except EditorError as error:
            self.notify(str(error), severity="warning", timeout=5, markup=False)
        except SuspendNotSupported:
            self.notify("The screen cannot be put aside for an editor here.", timeout=5, markup=False)
        self.refresh(layout=True)
