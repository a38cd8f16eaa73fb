"""One table feeds bindings, footer, help, palette and README."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter

import pytest

from tapeinspect.ui.actions import ACTIONS, key_name, markdown
from tapeinspect.ui.palette import DARK, palette_for
from tapeinspect.ui.screens.main import MainScreen
from tapeinspect.ui.widgets.bars import Footer, Header, HeaderFacts
from tapeinspect.ui.widgets.cells import width_of


def test_no_key_does_two_things() -> None:
    keys = Counter(key for action in ACTIONS for key in action.keys)
    assert [key for key, times in keys.items() if times > 1] == []


def test_every_action_is_carried_out_by_the_main_screen() -> None:
    for action in ACTIONS:
        if action.id not in ("next_pane", "palette"):  # Textual's own
            assert hasattr(MainScreen, f"action_{action.id.split('(')[0]}"), action.id


def test_texts_are_sentences_and_labels_are_short() -> None:
    for action in ACTIONS:
        assert action.tooltip.endswith(".") and action.tooltip[0].isupper()
        assert len(action.label) <= 14


def test_key_names() -> None:
    assert [key_name(key) for key in ("n", "f10", "left_square_bracket", "ctrl+p", "shift+f11")] == [
        "n", "F10", "[", "Ctrl+P", "Shift+F11",
    ]  # fmt: skip


def test_the_readme_table_is_printed_without_textual() -> None:
    code = (
        "import runpy, sys; runpy.run_module('tapeinspect.ui.actions', run_name='__main__');"
        "assert 'textual' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == markdown()
    assert "| `n` `F10` | Run the next batch, then pause. Needs a running script. |" in done.stdout


def test_the_screen_starts_without_what_only_some_panes_need() -> None:
    names = "('tensorflow', 'numpy', 'pygments.lexers', 'keras')"
    code = f"import sys, tapeinspect.ui.app; print([m for m in {names} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize(("tab", "keys"), [(2, "nc/v"), (3, "ncS/t"), (4, "ncFTU/"), (5, "ncXOFU")])
def test_the_footer_of_a_paused_script_has_the_keys_of_its_tab_at_80_columns(tab: int, keys: str) -> None:
    class Dark(Footer):
        palette = palette_for(DARK)

    footer = Dark()
    footer.offer(tab, frozenset({"pause"}), frozenset({"restart"}))
    line = footer.line(0, 80)
    text = "".join(piece for piece, _ in line)
    assert width_of(line) <= 80 and text.endswith(" ? help  q quit ")
    assert {part.split()[0] for part in re.split(r"\s\s+", text) if part.split()} >= set(keys)


class Dark(Footer):
    """A footer outside of a screen."""

    palette = palette_for(DARK)

    def keys(self, width: int) -> list[str]:
        """The actions it shows."""
        assert width_of(self.line(0, width)) <= max(width, 16), "no word loses a letter"
        return [action.id for action, _ in self._actions(width)]


@pytest.mark.parametrize("tab", range(1, 7))
def test_the_keys_to_the_older_and_the_newer_batch_stand_together(tab: int) -> None:
    footer = Dark()
    seen = set()
    for off in (frozenset(), frozenset({"next_batch", "next_op", "go_on", "finish_tape", "older", "newer"})):
        footer.offer(tab, off, frozenset({"restart"}))
        for width in range(30, 240):
            keys = footer.keys(width)
            assert ("older" in keys) == ("newer" in keys)
            seen |= {*keys}
    assert ("older" in seen) == (tab != 6), "the output is the same for every batch"


def test_what_can_do_nothing_is_not_in_the_footer() -> None:
    footer = Dark()
    footer.offer(1, frozenset(), frozenset({"value", "older", "newer"}))
    assert not {"value", "older", "newer"} & {*footer.keys(200)}
    footer.offer(1, frozenset(), frozenset())
    assert {"value", "older", "newer", "restart"} <= {*footer.keys(240)}


def test_the_header_keeps_its_parts_apart() -> None:
    class DarkHeader(Header):
        palette = palette_for(DARK)

    header = DarkHeader()
    facts = ("TF 2.21.0", "27 ops", "cost 1.20×", "loss 16.06", "batch 1/1")
    header.say(HeaderFacts("helper.py", "PAUSED", "warn", "after batch 1", facts))
    for width in range(44, 160):
        text = "".join(piece for piece, _ in header.line(0, width))
        assert len(text) <= width
        assert not re.search("after batch 1 ?\\S", text), text
