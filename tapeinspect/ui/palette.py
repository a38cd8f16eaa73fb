"""The styles that rows are painted with, derived from the current theme."""

from __future__ import annotations

from dataclasses import dataclass

from rich.style import Style
from textual.color import Color
from textual.theme import Theme

DARK = Theme(
    name="tape-dark", dark=True,
    primary="#7AA2F7", secondary="#9D8CFF", accent="#E0AF68", success="#8FC77B", warning="#E0AF68", error="#F7768E",
    foreground="#C8D0E0", background="#14171F", surface="#191D27", panel="#222838",
    variables={"tape-muted": "#7F8AA3", "tape-faint": "#626C87", "tape-cursor": "#2B3A5E", "tape-dim-cursor": "#232B3D",
               "tape-string": "#9CC98A", "tape-number": "#E5A26F", "tape-keyword": "#BB9AF7", "tape-name": "#7FD1E0",
               "tape-expression": "#4A3D1F"},
)  # fmt: skip
LIGHT = Theme(
    name="tape-light", dark=False,
    primary="#2257B8", secondary="#6B4FBB", accent="#9A6200", success="#2E7D32", warning="#9A6200", error="#C2224A",
    foreground="#232A38", background="#FAFAF8", surface="#F1F1ED", panel="#E5E6E3",
    variables={"tape-muted": "#5F687A", "tape-faint": "#878F9D", "tape-cursor": "#CBDCF8", "tape-dim-cursor": "#E4E9F1",
               "tape-string": "#3B7A2A", "tape-number": "#A34E00", "tape-keyword": "#7A3FBF", "tape-name": "#0B7285",
               "tape-expression": "#FFE8A8"},
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Palette:
    """Rich styles by what they say, not by their colour."""

    text: Style
    strong: Style
    muted: Style
    faint: Style
    accent: Style
    good: Style
    bad: Style
    warn: Style
    info: Style
    second: Style
    string: Style
    number: Style
    keyword: Style
    name: Style
    comment: Style
    cursor: Style
    """Background of the row under the cursor in the focused list."""
    dim_cursor: Style
    """The same where the list does not have the focus."""
    hover: Style
    title: Style
    focused_title: Style
    heading: Style
    expression: Style
    """The expression lit up in the source."""
    selection: Style
    match: Style
    bar: Style
    """Background of header, footer and tabs."""
    badge_text: Style
    is_ansi: bool = False

    @property
    def title_ground(self) -> Style:
        """The background of titles."""
        return Style(bgcolor=self.title.bgcolor) if self.title.bgcolor else Style()

    def badge(self, colour: Style) -> Style:
        """Text on a field of the colour."""
        if self.is_ansi:
            return colour + Style(reverse=True, bold=True)
        return Style(color=self.badge_text.color, bgcolor=colour.color, bold=True)


_MADE: dict[str, Palette] = {}


def palette_for(theme: Theme) -> Palette:
    """The palette of a theme; themes without our own colours get them from their general ones."""
    if theme.name not in _MADE:
        _MADE[theme.name] = _make(theme)
    return _MADE[theme.name]


def _make(theme: Theme) -> Palette:
    if theme.ansi:
        return _ansi()
    colours = theme.to_color_system().generate()
    background = Color.parse(colours["background"])
    foreground = Color.parse(colours["foreground"])

    def pick(name: str, share: float, other: str = "foreground") -> str:
        if own := theme.variables.get(f"tape-{name}"):
            return own
        return background.blend(Color.parse(colours.get(other, colours["foreground"])), share).hex6

    def ink(name: str) -> Style:
        return Style(color=Color.parse(colours[name]).hex6)

    muted, faint = pick("muted", 0.6), pick("faint", 0.35)
    panel = Color.parse(colours["panel"]).hex6
    surface = Color.parse(colours["surface"]).hex6
    primary = Color.parse(colours["primary"]).hex6
    return Palette(
        text=Style(color=foreground.hex6),
        strong=Style(color=foreground.hex6, bold=True),
        muted=Style(color=muted),
        faint=Style(color=faint),
        accent=ink("accent"),
        good=ink("success"),
        bad=ink("error"),
        warn=ink("warning"),
        info=ink("primary"),
        second=ink("secondary") if theme.variables.get("tape-muted") else ink("primary"),
        string=Style(color=pick("string", 0.9, "success")),
        number=Style(color=pick("number", 0.9, "warning")),
        keyword=Style(color=pick("keyword", 0.9, "accent")),
        name=Style(color=pick("name", 0.9, "primary")),
        comment=Style(color=muted, italic=True),
        cursor=Style(bgcolor=pick("cursor", 0.35, "primary")),
        dim_cursor=Style(bgcolor=pick("dim-cursor", 0.14, "primary")),
        hover=Style(bgcolor=surface),
        title=Style(color=muted, bgcolor=panel),
        focused_title=Style(color=primary, bgcolor=panel, bold=True),
        heading=Style(color=muted, italic=False),
        expression=Style(bgcolor=pick("expression", 0.3, "warning"), bold=True),
        selection=Style(bgcolor=pick("cursor", 0.5, "primary")),
        match=Style(underline=True, bold=True),
        bar=Style(color=foreground.hex6, bgcolor=panel),
        badge_text=Style(color=background.hex6),
    )


def _ansi() -> Palette:
    """The sixteen colours of the terminal, whatever they are; emphasis by attributes."""

    def ink(colour: str, **attributes: bool) -> Style:
        return Style(color=colour, **attributes)  # type: ignore[arg-type]

    return Palette(
        text=ink("default"), strong=ink("default", bold=True), muted=ink("default", dim=True),
        faint=ink("bright_black"), accent=ink("yellow"), good=ink("green"), bad=ink("red", bold=True),
        warn=ink("yellow"), info=ink("blue"), second=ink("magenta"), string=ink("green"), number=ink("yellow"),
        keyword=ink("magenta"), name=ink("cyan"), comment=ink("default", dim=True, italic=True),
        cursor=Style(reverse=True), dim_cursor=Style(underline=True), hover=Style(),
        title=ink("default", dim=True), focused_title=ink("blue", bold=True, underline=True),
        heading=ink("bright_black"), expression=Style(bold=True, underline=True), selection=Style(reverse=True),
        match=Style(underline=True, bold=True), bar=ink("default", bold=True), badge_text=ink("default"), is_ansi=True,
    )  # fmt: skip
