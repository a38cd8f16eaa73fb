"""Two recordings of one invented run: the second is of an edited script, and parts from the first at batch 4."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.ui.build import SOURCE, recording

EDITED = SOURCE.replace("\n\ndef train_step", "\nRATE = 0.1\n\n\ndef train_step").replace(
    "loss_value.numpy().mean()", "float(loss_value)"
)
"""A line more before the step, and another line 18, which is line 20 then."""
MOVED = 2


def pair(folder: Path) -> tuple[Path, Path]:
    """Six batches; and seven: line 17's Sum differs in batch 4, the gradients and an op of line 16 in batch 5."""
    first, second = recording(folder / "a.tape", batches=6), recording(folder / "b.tape", batches=7)
    with sqlite3.connect(second) as connection:
        op_of = "SELECT op.id FROM op JOIN kind ON kind.id = op.kind WHERE step = ? AND type = ?"
        (summed,) = connection.execute(op_of, (4, "Sum")).fetchone()
        (equal,) = connection.execute(op_of, (5, "Equal")).fetchone()
        connection.execute("UPDATE op SET norm = 1.5 * norm WHERE id = ?", (summed,))
        kind = "SELECT id FROM kind WHERE type = 'Relu'"
        connection.execute(f"UPDATE op SET kind = ({kind}) WHERE id = ?", (equal,))
        connection.execute("UPDATE gradient SET norm = 2 * norm WHERE step = 5")
        connection.execute("UPDATE file SET source = ? WHERE id = 1", (EDITED,))
        for table in ("frame", "stack", "step"):
            connection.execute(f"UPDATE {table} SET line = line + {MOVED} WHERE line >= 11")
        connection.execute("UPDATE meta SET value_json = '\"2.20.0\"' WHERE key = 'tensorflow'")
    connection.close()
    return first, second
