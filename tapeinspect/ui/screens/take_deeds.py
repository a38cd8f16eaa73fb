"""Keys that take something away: copies, exports, the user's editor."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

from tapeinspect.ui.screens.find_deeds import FindDeeds


class TakeDeeds(FindDeeds):
    """Copy, write and edit what is on the screen."""

    def action_copy(self) -> None:
        target = self.current_list()
        text = (self.get_selected_text() or (target.copy_text() if target else "")) or ""
        if text:
            self.app.copy_to_clipboard(text)
            lines = text.count("\n") + 1
            shown = text if len(text) <= 60 else f"{text[:59]}…"
            self.say(f"Copied: {shown}" if lines == 1 else f"Copied {lines} lines.")
        else:
            self.say("There is nothing to copy here.", True)

    def action_copy_json(self) -> None:
        target = self.current_list()
        record = getattr(target, "copy_record", lambda: None)()
        if record is None:
            record = getattr(self._main.pane(self._main.tab), "copy_record", lambda: None)()
        if record is None and self._main.tab == 1:
            record = self._main.trace_pane.detail.op
        if record is None:
            self.say("There is nothing to copy as JSON here.", True)
            return
        self.app.copy_to_clipboard(json.dumps(jsonable(record), indent=2, ensure_ascii=False))
        self.say("Copied as JSON.")

    def action_export(self) -> None:
        from tapeinspect.ui.editor import EditorError, write_export

        exported = getattr(self._main.pane(self._main.tab), "export", lambda: None)()
        if exported is None:
            self.say(
                "There is no generated source here to export; `tapeinspect export` writes a recording.", True
            )
            return
        try:
            self.say(f"Written: {write_export(*exported)}")
        except EditorError as error:
            self.say(str(error), True)

    def action_edit(self) -> None:
        from textual.app import SuspendNotSupported

        from tapeinspect.ui.editor import EditorError, check_editor, place_here, run_editor

        place = place_here(self._main)
        if place is None:
            self.say("There is no line of yours here to edit.", True)
            return
        try:
            check_editor(place[0])
            with self.app.suspend():
                run_editor(*place)
        except EditorError as error:
            self.say(str(error), True)
        except SuspendNotSupported:
            self.say("The screen cannot be put aside for an editor here.", True)
        self.refresh(layout=True)


def jsonable(record: Any) -> Any:
    """A record as JSON data: NaN and Inf as strings, bytes left out."""
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return {field.name: jsonable(getattr(record, field.name)) for field in dataclasses.fields(record)}
    if isinstance(record, dict):
        return {str(key): jsonable(value) for key, value in record.items()}
    if isinstance(record, list | tuple):
        return [jsonable(value) for value in record]
    if isinstance(record, float) and not math.isfinite(record):
        return str(record)
    return None if isinstance(record, bytes) else record
