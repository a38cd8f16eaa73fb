"""The lines around the panes: header, tabs and footer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tapeinspect.ui.actions import ACTIONS, Action, key_name
from tapeinspect.ui.palette import Palette, palette_for
from tapeinspect.ui.widgets.cells import Line, fit, strip_of, width_of


class Bar(Widget):
    """A widget that draws its own lines."""

    DEFAULT_CSS = "Bar { height: 1; background: $panel; }"

    @property
    def palette(self) -> Palette:
        """The styles of the current theme."""
        return palette_for(self.app.current_theme)

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self.refresh())

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        return strip_of(self.line(y, self.size.width)).crop_extend(0, self.size.width, None).apply_style(base)

    def line(self, y: int, width: int) -> Line:
        """One line of the bar."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class HeaderFacts:
    """What the header says."""

    script: str
    state: str
    tone: str
    """Field of the palette that the state is painted with."""
    why: str
    facts: tuple[str, ...] = ()
    """Shown at the right, the least important first: it goes first when there is no room."""


class Header(Bar):
    """Script, state and why, and the figures of the moment."""

    facts = HeaderFacts("", "STARTING", "info", "")

    def say(self, facts: HeaderFacts) -> None:
        """Show these facts."""
        if facts != self.facts:
            self.facts = facts
            self.refresh()

    def line(self, y: int, width: int) -> Line:
        facts, palette = self.facts, self.palette
        left: Line = [
            (f" {facts.script} ", palette.strong),
            (f" {facts.state} ", palette.badge(getattr(palette, facts.tone))),
        ]
        shown = list(facts.facts)
        room = width - width_of(left) - 3
        beside = max(room - (min(len(facts.why) + 2, 46) if facts.why else 1), 0)
        while shown and len("  ".join(shown)) > beside:
            shown.pop(0)
        right = "   ".join(shown)
        if len(right) > beside:
            right = "  ".join(shown)
        why = fit(" " + facts.why, max(0, room - len(right)))
        return [*left, (why, palette.text), (" ", None), (right, palette.muted), (" ", None)]


class TabBar(Bar):
    """The six tabs by number."""

    NAMES = ("Trace", "Tape", "Gradients", "AutoGraph", "Diff", "Output")
    SHORT = ("Trace", "Tape", "Grads", "Auto", "Diff", "Out")
    DEFAULT_CSS = "TabBar { background: $background; }"

    @dataclass
    class Picked(Message):
        """The user clicked on a tab."""

        tab: int

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.active = 1
        self.marks: dict[int, tuple[str, str]] = {}
        """Tab to (short text, field of the palette): `new`, `3 NaN`."""

    def pick(self, tab: int) -> None:
        """Light up a tab."""
        self.active = tab
        self.refresh()

    def mark(self, tab: int, text: str, tone: str = "accent") -> None:
        """Put a short text behind a tab's name; "" takes it away."""
        if self.marks.get(tab, ("", ""))[0] != text:
            self.marks[tab] = (text, tone)
            self.refresh()

    def _tab(self, tab: int, short: bool) -> Line:
        palette, name = self.palette, (self.SHORT if short else self.NAMES)[tab - 1]
        on = tab == self.active
        text, tone = self.marks.get(tab, ("", ""))
        pieces: Line
        if on:
            pieces = [(f" {tab} {name} ", palette.badge(palette.info))]
        else:
            pieces = [(f" {tab} ", palette.accent), (f"{name} ", palette.muted)]
        if text and not short:
            pieces.append((f"{text} ", getattr(palette, tone)))
        return pieces

    def _tabs(self, width: int) -> list[Line]:
        gaps = [self._tab(tab, False) for tab in range(1, 7)]
        if sum(width_of(piece) + 1 for piece in gaps) > width:
            gaps = [self._tab(tab, True) for tab in range(1, 7)]
        return gaps

    def line(self, y: int, width: int) -> Line:
        return [piece for tab in self._tabs(width) for piece in [*tab, (" ", None)]]

    def on_click(self, event: events.Click) -> None:
        x = 0
        for tab, pieces in enumerate(self._tabs(self.size.width), 1):
            x += width_of(pieces) + 1
            if event.x < x:
                self.post_message(self.Picked(tab))
                return


_ALWAYS = ("help", "leave")
_FIRST = ("next_batch", "go_on", "pause", "restart")
_PAIRS = {"older": "newer"}
"""Shown together or not at all, by the first of the two."""
_MOVES = 10
"""From this place in the footer on, keys move about, in every tab alike."""


class Footer(Bar):
    """The keys that matter now; those that need a running script are greyed out without one."""

    @dataclass
    class Pressed(Message):
        """The user clicked on an action."""

        action: Action

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.tab = 1
        self.off: frozenset[str] = frozenset()
        self.absent: frozenset[str] = frozenset()

    def offer(self, tab: int, off: frozenset[str], absent: frozenset[str] = frozenset()) -> None:
        """Show the keys of a tab, by the ids of actions: `off` are greyed out, as they cannot be done now, and
        `absent` are left out, as there is nothing that they could be done with."""
        if (tab, off, absent) != (self.tab, self.off, self.absent):
            self.tab, self.off, self.absent = tab, off, absent
            self.refresh()

    def _actions(self, width: int) -> Sequence[tuple[Action, str]]:
        here = [
            a for a in ACTIONS if a.footer and (not a.tabs or self.tab in a.tabs) and a.id not in self.absent
        ]
        last = [(a, a.label) for a in here if a.id in _ALWAYS]
        shown: list[tuple[Action, str]] = []
        room = width - sum(width_of(self._pieces(*pair)) for pair in last)
        left_out = False
        for action in sorted((a for a in here if a.id not in (*_ALWAYS, *_PAIRS.values())), key=self._rank):
            pairs = [(a, self._label(a)) for a in here if a.id in (action.id, _PAIRS.get(action.id))]
            need = sum(width_of(self._pieces(*pair)) for pair in pairs)
            if action.live and action.id in self.off and left_out:
                break
            left_out |= need > room
            if need <= room:
                shown += pairs
                room -= need
        shown.sort(key=lambda pair: pair[0].footer)
        return [*shown, *last]

    def _rank(self, action: Action) -> tuple[bool, int, int]:
        """What gets a place first: what can be done, running the script, then what is special to the tab."""
        off = action.live and action.id in self.off
        special = (0 < len(action.tabs) < 5 or action.id == "find") and action.footer < _MOVES
        rank = 0 if action.id in _FIRST else 2 if action.id == "other_side" else 1 if special else 3
        return off, rank, action.footer

    def _label(self, action: Action) -> str:
        return "find" if action.id == "find" and self.tab != 1 else action.label

    def _pieces(self, action: Action, label: str) -> Line:
        palette = self.palette
        off = action.id in self.off
        key: Style = palette.faint if off else palette.accent
        return [(f" {key_name(action.keys[0])}", key), (f" {label} ", palette.faint if off else palette.text)]

    def line(self, y: int, width: int) -> Line:
        return [piece for action, label in self._actions(width) for piece in self._pieces(action, label)]

    def on_click(self, event: events.Click) -> None:
        x = 0
        for action, label in self._actions(self.size.width):
            x += width_of(self._pieces(action, label))
            if event.x < x:
                self.post_message(self.Pressed(action))
                return
