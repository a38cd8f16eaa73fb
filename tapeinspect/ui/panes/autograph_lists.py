"""The list of the functions that the trace met, and small texts: parts of the tabs AutoGraph and Diff."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from rich.style import Style

from tapeinspect.trace.records import AutographFailure, AutographFunction
from tapeinspect.ui.format import basename, count, visible
from tapeinspect.ui.palette import Palette
from tapeinspect.ui.panes.autograph_lines import failure_lines
from tapeinspect.ui.widgets.cells import Line, fit
from tapeinspect.ui.widgets.line_list import LineList, NoRows, TextRows

STATUS: Final = {
    "converted": ("✓", "good"), "not_converted": ("–", "muted"), "failed": ("✗", "bad"),
}  # fmt: skip


class FunctionRows:
    """Functions with where they are and what became of them."""

    def __init__(self, functions: Sequence[AutographFunction], flagged: frozenset[int]) -> None:
        self.functions = functions
        self.flagged = flagged
        """Ids of those with findings on their lines."""
        self.name_width = min(
            44, max((len(visible(f.name)) + depth(f, functions) for f in functions), default=8)
        )

    def __len__(self) -> int:
        return len(self.functions)

    def line(self, index: int, width: int, palette: Palette) -> Line:
        function = self.functions[index]
        mark, tone = STATUS[function.status]
        own = function.role != "library"
        names, places = self.columns(width)
        name = " " * depth(function, self.functions) + visible(function.name)
        name_tone = palette.text if own and function.status != "not_converted" else palette.muted
        return [
            (f" {mark}", getattr(palette, tone)),
            ("! " if function.id in self.flagged else "  ", palette.warn),
            (fit(name, names) + " ", name_tone),
            (fit(_place(function), places - 1) + " " if places else "", palette.faint),
            (
                fit(outcome(function), width - names - places - 5),
                palette.bad if function.status == "failed" else palette.muted,
            ),
        ]

    def columns(self, width: int) -> tuple[int, int]:
        """Columns of names and of places."""
        places = 22 if width >= 90 else 0
        return max(8, min(self.name_width, (width - places) // (2 if width < 100 else 3))), places


def depth(function: AutographFunction, functions: Sequence[AutographFunction]) -> int:
    """How far the function is indented: once for each of the user's functions around its call, four at most."""
    if function.role == "library":
        return 0
    known = {other.id: other for other in functions}
    steps = 0
    while steps < 4 and function.parent in known:
        function = known[function.parent]
        steps += 1
    return steps


def _place(function: AutographFunction) -> str:
    if function.role == "library" or function.path is None or function.line is None:
        first, _, rest = function.module.partition(".")
        last = rest.rpartition(".")[2]
        return visible(f"{first} … {last}" if "." in rest else function.module)
    return f"{basename(function.path)}:{function.line}"


def outcome(function: AutographFunction) -> str:
    """What became of a function, in a few words."""
    if function.status != "converted":
        return visible(function.reason) or function.status.replace("_", " ")
    if not function.generated:
        return "converted with the function around it"
    before = (function.end_line or 0) - (function.line or 0) + 1 if function.end_line else 0
    after = function.generated.rstrip("\n").count("\n") + 1
    return f"{before} → {count(after, 'line')}" if before > 0 else count(after, "line")


class FunctionList(LineList):
    """The functions: the user's first, then libraries'."""

    has_head = True

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, title="Functions")

    @property
    def function(self) -> AutographFunction | None:
        """The function under the cursor."""
        rows = self.rows
        return rows.functions[self.cursor] if isinstance(rows, FunctionRows) and len(rows) else None

    def head_line(self, width: int) -> Line:
        if not isinstance(self.rows, FunctionRows):
            return []
        names, places = self.rows.columns(width)
        heading = self.palette.heading
        return [("    " + fit("function", names + 1), heading), (fit("place" if places else "", places), heading),
                ("what became of it", heading)]  # fmt: skip

    def copy_text(self) -> str:
        function = self.function
        if function is None:
            return ""
        place = f"{function.path}:{function.line}" if function.path else function.module
        return "  ".join([function.name, place, function.status.replace("_", " "), outcome(function)])

    def copy_record(self) -> object:
        """What `Y` copies."""
        return self.function


class Story(LineList):
    """A few lines of text about what the cursor is on; they are made anew for each width."""

    has_cursor = False
    selectable = True

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._tell: Callable[[Palette, int], list[Line]] | None = None

    def tell(self, title: str, story: Callable[[Palette, int], list[Line]], note: str = "") -> None:
        """Show other lines."""
        self._tell = story
        self.set_title(title, note)
        self.build()
        self.scroll_to(y=0, animate=False, force=True, immediate=True)

    def build(self) -> None:
        """Make the lines for the width there is."""
        if self._tell is None:
            self.rows = NoRows()
        else:
            self.rows = TextRows(self._tell(self.palette, max(20, self.inner_width - 1)))
        self._strips.clear()
        self.resize_rows()
        self.refresh()

    def repaint(self) -> None:
        super().repaint()
        if self._tell is not None:
            self.rows = TextRows(self._tell(self.palette, max(20, self.inner_width - 1)))

    def on_resize(self) -> None:
        self.build()

    def copy_text(self) -> str:
        return "\n".join(self.text_of(i) for i in range(len(self.rows)))


class FailureCard(LineList):
    """What a trace failed with. Enter goes to the failing line."""

    selectable = True
    has_cursor = False
    DEFAULT_CSS = "FailureCard { height: auto; max-height: 40%; border-left: outer $error; }"

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.failure: AutographFailure | None = None

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self.rows) + 1

    def say(self, failure: AutographFailure) -> None:
        """Show a failure."""
        self.failure = failure
        self.build()

    def build(self) -> None:
        """Make the lines for the width there is."""
        if self.failure is None:
            return
        where = f"{basename(self.failure.path)}:{self.failure.line}" if self.failure.path else ""
        self.set_title(
            f"Tracing fails: {visible(self.failure.type)}", f"{where} · Enter goes there" if where else ""
        )
        self.show(TextRows(failure_lines(self.failure, self.palette, max(20, self.inner_width - 3))))
        self.refresh(layout=True)

    def on_resize(self) -> None:
        self.build()

    @property
    def title_style(self) -> Style:
        return self.palette.bad + self.palette.title_ground + Style(bold=True)

    def place(self) -> tuple[str, int] | None:
        """The failing line of the user's."""
        failure = self.failure
        return (failure.path, failure.line) if failure and failure.path and failure.line else None

    def copy_text(self) -> str:
        failure = self.failure
        if failure is None:
            return ""
        frames = [f'  File "{f.file}", line {f.line}, in {f.function}\n    {f.code}' for f in failure.frames]
        return "\n".join(
            [*frames, f"{failure.type}: {failure.message}", failure.explanation, failure.hint]
        ).rstrip()

    def copy_record(self) -> object:
        """What `Y` copies."""
        return self.failure
