"""What the AutoGraph tab takes: to open on a 300-line step with 40 converted functions, and a key in 5,000 lines.

    python tests/bench/bench_autograph_pane.py

Drives the real program in a pseudo-terminal on a recording with generated sources, so the conversion itself is not in
the figures. Exits with 1 when a median is over its limit. On a machine that others use, too, go by the work, which is
the time of a processor that the program had, and by the ratio to a plain `down`, which is taken in the same run.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tapeinspect.trace.writer import TraceWriter
from tests.bench.bench_ui import Screen
from tests.ui import build

OPEN = 0.3
"""Seconds that opening the tab may take."""
KEY = 50.0
"""Milliseconds that a key may take."""
PATH = "/home/ada/steps.py"
FILE = 11


def source(name: str, lines: int) -> str:
    """A function with an `if` on a tensor in every fifth line."""
    parts = [f"def {name}(x, y):"]
    while len(parts) < lines - 1:
        at = len(parts) % 5
        if at == 1 and len(parts) < lines - 3:
            parts.append(f"    if tf.reduce_sum(x) > {len(parts)}.0:")
            parts.append(f"        x = x * {len(parts)}.0 + layer_{len(parts)}(y)")
        else:
            parts.append(f"    y = tf.nn.relu(tf.matmul(x, weight_{len(parts)}) + bias_{len(parts)})")
    return "\n".join([*parts, "    return x + y"])


def generated(text: str, first: int) -> tuple[str, dict[int, int], list[tuple[int, int, str]]]:
    """What AutoGraph would make of it: the text, line to original line, and what only AutoGraph needs."""
    out: list[str] = []
    lines: dict[int, int] = {}
    folds: list[tuple[int, int, str]] = []

    def put(line: str, original: int | None = None) -> None:
        out.append(line)
        if original is not None:
            lines[len(out)] = original

    rows = text.split("\n")
    put(rows[0].replace("def ", "def tf__"), first)
    put("    with ag__.FunctionScope('f', 'fscope', ag__.STD) as fscope:")
    folds.append((len(out), len(out), "scope"))
    for number, row in enumerate(rows[1:], first + 1):
        if not row.startswith("    if "):
            put("    " + row.replace("tf.", "ag__.ld(tf)."), number)
            continue
        begin = len(out) + 1
        for line in ("def get_state():", "    return (x,)", "", "def set_state(vars_):", "    nonlocal x",
                     "    x, = vars_", ""):  # fmt: skip
            put("        " + line if line else "")
        folds.append((begin, len(out), "get_state"))
        put("        def if_body():", number)
        put("            x = ag__.ld(x) * 2.0", number + 1)
        put(
            "        ag__.if_stmt(ag__.ld(x) > 0, if_body, else_body, get_state, set_state, ('x',), 1)",
            number,
        )
    return "\n".join(out) + "\n", lines, folds


def recording(path: Path, sizes: list[int]) -> Path:
    """A recording whose first batch was traced for AutoGraph; `sizes`: lines of each function."""

    def rows(writer: TraceWriter) -> None:
        texts = [source(f"function_{i}", size) for i, size in enumerate(sizes)]
        writer.insert("file", [(FILE, PATH, "user", "\n".join(texts))])
        writer.insert("ag_run", [(1, 1, "function_0", FILE, 1, "traced", "", "", 9000, 0.4, 2.0)])
        first = 1
        for id, text in enumerate(texts, 1):
            made, lines, folds = generated(text, first)
            last = first + text.count("\n")
            writer.insert("ag_function", [(id, 1, 1 if id > 1 else None, None, f"function_{id - 1}", "__main__",
                                           "function", "user", FILE, first, last, FILE, 1, 1, "converted", "", "",
                                           text, made)])  # fmt: skip
            writer.insert("ag_line", [(id, line, original) for line, original in lines.items()])
            writer.insert("ag_fold", [(id, *fold) for fold in folds])
            writer.insert("ag_mark", [(1, FILE, line, "G", 3, 1) for line in range(first, last + 1)])
            constructs = [(None, 1, id, line, line, 4, 9, "if", "If", 1, "It is in the graph.", "{}")
                          for line in range(first, last, 5)]  # fmt: skip
            writer.insert("ag_construct", constructs)
            first = last + 1

    return build.recording(path, more=rows)


def opening(path: Path) -> float:
    """Seconds from the key 4 to the generated source on the screen."""
    taken = []
    for _ in range(5):
        screen = Screen(["open", str(path)], 160, 45)
        screen.until(rb"Ops  batch \d")
        taken.append(screen.press(b"4"))
        screen.until(rb"tf__function_0")
        screen.close()
    return statistics.median(taken)


KEYS: tuple[tuple[str, bytes, int], ...] = (
    ("down", b"\x1b[B", 12),
    ("page down", b"\x1b[6~", 12),
    ("end and top, in turns", b"Gg", 8),
    ("page up, from the end", b"\x1b[5~", 12),
    ("other side", b"x", 8),
    ("open and close all folds", b"U", 6),
    ("next hit", b".", 8),
    ("next hit, in a fold", b".", 8),
    ("hit nowhere", b".", 4),
)
"""Name, key (or keys that take turns), and how often it is pressed."""
FIRST: dict[str, tuple[bytes, ...]] = {
    "page up, from the end": (b"G",),
    "open and close all folds": (b"g",),
    "next hit": (b"/", b"bias_1\r"),
    "next hit, in a fold": (b"x", b"/", b"nonlocal\r"),
    "hit nowhere": (b"/", b"no such text\r"),
}
"""What is pressed before."""


def keys(path: Path) -> list[tuple[str, list[float], float]]:
    """Milliseconds from each key to the last byte of what it changes, and the median of the work it takes."""
    screen = Screen(["open", str(path)], 160, 45)
    screen.until(rb"Ops  batch \d")
    screen.press(b"4")
    screen.until(rb"tf__function_0")
    screen.settle(quiet=1.0)
    results = []
    for name, pressed, times in KEYS:
        for first in FIRST.get(name, ()):
            screen.press(first)
        each = [pressed] if pressed.startswith(b"\x1b") else [bytes([key]) for key in pressed]
        taken, work = [], []
        for i in range(times):
            screen.settle()
            before = screen.worked()
            taken.append(screen.press(each[i % len(each)]) * 1000)
            work.append((screen.worked() - before) * 1000)
        results.append((name, taken, statistics.median(work)))
    screen.close()
    return results


def main() -> int:
    """Run everything; 1 when a limit is exceeded."""
    with tempfile.TemporaryDirectory() as folder:
        step = recording(Path(folder, "step.tape"), [300, *([30] * 39)])
        long = recording(Path(folder, "long.tape"), [2100])
        opened, pressed = opening(step), keys(long)
    over = opened > OPEN
    print(f"open, 300-line step, 40 functions: {opened:.3g} s, limit {OPEN} s{' OVER' if over else ''}")
    print(
        f"\n{'a key in 5,000 lines':28}{'median':>9}{'least':>9}{'most':>9}{'work':>9}   over a plain `down`"
    )
    base = statistics.median(pressed[0][1])
    for name, taken, work in pressed:
        median = statistics.median(taken)
        over |= median > KEY
        figures = "".join(f"{value:>6.0f} ms" for value in (median, min(taken), max(taken), work))
        print(f"{name:28}{figures}{median / base:>9.1f}x {'' if median <= KEY else f'OVER {KEY:.0f} ms'}")
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
