"""Text selected with the mouse is what Ctrl+C copies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tapeinspect.ui.app import TapeApp


async def test_ctrl_c_copies_the_text_selected_in_the_source(
    open_app: Callable[[Path], TapeApp], plain: Path
) -> None:
    async with open_app(plain).run_test(size=(120, 36)) as pilot:
        app = pilot.app
        await pilot.pause(0.3)
        source = app.main.trace_pane.source
        row = source.cursor - source.scroll_offset.y + source.head_height
        await pilot.mouse_down(source, offset=(22, row))
        await pilot.hover(source, offset=(29, row))
        await pilot.mouse_up(source, offset=(29, row))
        await pilot.pause()
        selected = app.screen.get_selected_text()
        assert selected and selected.strip() in source.text_of(source.cursor)
        await pilot.press("ctrl+c")
        assert app.clipboard == selected
