"""The screen as text."""

from __future__ import annotations

from tapeinspect.ui.app import TapeApp


def screen_text(app: TapeApp) -> str:
    """What the topmost screen shows, line by line."""
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    assert len(strips) == height and width
    return "\n".join(strip.text.rstrip() for strip in strips)


def line_with(app: TapeApp, text: str) -> str:
    """The first line that holds a text; fails when there is none."""
    shown = screen_text(app)
    for line in shown.split("\n"):
        if text in line:
            return line
    raise AssertionError(f"{text!r} is not on the screen:\n{shown}")


def said(app: TapeApp) -> str:
    """What the notices in the corner say."""
    return "\n".join(notification.message for notification in app._notifications)
