"""Small training scripts, each named for what it shows, and what is to be expected of each."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Script:
    """One script of this folder."""

    name: str
    """Its file, without `.py`."""
    steps: int
    """Training steps it runs, the one it fails in included."""
    function: str | None = "train_step"
    """The function of its first step, `<module>` when its tape stands inline at module level; None: no step."""
    exit_status: int = 0
    """128 + signal when it is killed."""
    graph: bool = False
    """It runs a `tf.function`, so that recording op by op changes the rounding or Python's side effects."""
    args: tuple[str, ...] = ()
    stdin: bytes = b""
    tensorflow: bool = True
    """It imports TensorFlow."""

    @property
    def path(self) -> Path:
        """The script's file."""
        return FOLDER / f"{self.name}.py"

    @property
    def shows(self) -> str:
        """What it is there for, in one line."""
        return (ast.get_docstring(ast.parse(self.path.read_text("utf-8"))) or "").partition("\n")[0]


SCRIPTS: Final[dict[str, Script]] = {
    script.name: script
    for script in (
        # shapes of a step
        Script("plain_function", steps=3),
        Script("tf_function", steps=4, graph=True),
        Script("trainer_class", steps=3),
        Script("imported_step", steps=3),
        Script("keras_fit", steps=8, graph=True),
        Script("keras_train_step", steps=4, graph=True),
        Script("inline_loop", steps=4, function="<module>"),
        Script("inline_in_function", steps=6, function="main"),
        Script("several_tapes", steps=3),
        Script("nested_tapes", steps=3),
        Script("tape_controls", steps=3),
        Script("loop_in_function", steps=5, function="train", graph=True),
        Script("grad_helper", steps=3, function="grad"),
        # kinds of gradients, updates and tensors
        Script("embedding", steps=2),
        Script("none_gradients", steps=2),
        Script("clipped_adamw", steps=3),
        Script("sgd_by_hand", steps=3),
        Script("jacobians", steps=2, graph=True),
        Script("threads", steps=6),
        Script("mirrored", steps=4),
        Script("opaque_regions", steps=2, graph=True),
        Script("module_variables", steps=2),
        Script("dtypes", steps=2),
        Script("ragged_sparse", steps=2),
        Script("random_numbers", steps=3),
        Script("numpy_views", steps=4),
        Script("objects_die", steps=4),
        # ways to end
        Script("raises", steps=2, exit_status=1),
        Script("sys_exit", steps=2, function="<module>", exit_status=3),
        Script("os_exit", steps=3, function="<module>", exit_status=7),
        Script("aborts", steps=3, exit_status=134),
        Script("exit_handlers", steps=1, exit_status=1),
        Script("signals", steps=2),
        Script("no_tape", steps=0, function=None),
        Script("no_tensorflow", steps=0, function=None, tensorflow=False),
        # input and output
        Script("reads_input", steps=2, function="<module>", stdin=b"0.5\n2\n3\n"),
        Script("progress_bars", steps=5, function="<module>"),
        Script("million_lines", steps=1),
        Script("invalid_utf8", steps=0, function=None, tensorflow=False),
        Script("warnings_logging", steps=3),
        # processes
        Script("forks", steps=2),
        Script("spawns", steps=2, function="<module>"),
        # looking at oneself
        Script("pickles", steps=2),
        Script("source_code", steps=1),
        Script("prints_traceback", steps=2),
        Script("stack_depth", steps=1),
        Script(
            "script_facts",
            steps=0,
            function=None,
            tensorflow=False,
            args=("--epochs", "3", "-o", "x y", "--", ""),
        ),
        Script("autograph_source", steps=2),
        Script("uses_pdb", steps=1),
    )
}
"""Every script, by name."""
