"""What a comparison says of XLA and of Grappler, where they were asked for, as text and for JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from tapeinspect.trace.differences import Compiled, Memory, Rewritten

XLA_WORDS: Final = {
    "same": "the same as the traced step, up to rounding",
    "different": "differs from the traced step",
    "random": "compiles; not compared, since XLA draws random numbers of its own",
    "not_compiled": "cannot be compiled",
}
XLA_SHORT: Final = {
    "same": "XLA: the same", "different": "XLA: differs", "random": "XLA: not compared",
    "not_compiled": "XLA: cannot be compiled",
}  # fmt: skip
_LEAST: Final = 1_000_000
CHANGES: Final = {
    "fused": "fused", "folded": "folded into a constant", "replaced": "replaced", "removed": "removed",
    "added": "added",
}  # fmt: skip


def grouped(rewritten: Sequence[Rewritten]) -> Iterator[tuple[str | None, int | None, str]]:
    """Line by line: file, line, and what became of its ops in words."""
    lines: dict[tuple[str | None, int | None], dict[tuple[str, str], list[str]]] = {}
    for r in rewritten:
        becomes = r.becomes if r.change in ("fused", "replaced") else ""
        lines.setdefault((r.path, r.line), {}).setdefault((r.change, becomes), []).append(r.type)
    for (path, line), changes in lines.items():
        for (change, becomes), types in changes.items():
            into = {"fused": f" into {becomes}", "replaced": f" by {becomes}"}.get(change, "")
            yield path, line, f"{_counted(types)} {CHANGES[change]}{into}"


def _counted(types: Sequence[str]) -> str:
    """`2 Mul, Reshape`, in the order of the graph."""
    counts = {type: types.count(type) for type in types}
    return ", ".join(type if number == 1 else f"{number} {type}" for type, number in counts.items())


def tally(rewritten: Sequence[Rewritten]) -> str:
    """`3 fused, 5 folded into a constant`; a sentence when there are none."""
    counts = {word: sum(r.change == change for r in rewritten) for change, word in CHANGES.items()}
    return ", ".join(f"{n} {word}" for word, n in counts.items() if n) or "Grappler leaves every op as it is"


def memory_words(memory: Memory | None) -> str:
    """What a call of the step needs both ways, in words."""
    if memory is None:
        return "not measured here: that takes a GPU, or Linux with glibc's malloc"
    where = " on the GPU" if memory.device == "gpu" else ""
    text = f"eager {_megabytes(memory.eager)}{where}"
    if memory.traced is None:
        return text
    text += f", traced {_megabytes(memory.traced)}"
    if min(memory.eager, memory.traced) < _LEAST:
        return text
    return text + f" ({memory.traced / memory.eager:.0%} of it)"


def _megabytes(size: int) -> str:
    """Bytes; below a megabyte, other things that the process does weigh as much."""
    if size < _LEAST:
        return "under 1 MB"
    return f"up to {size / 1e9:.2f} GB" if size >= 1e9 else f"up to {size / 1e6:.3g} MB"


def memory_object(memory: Memory | None) -> dict[str, Any] | None:
    """For JSON; None where it was not measured."""
    if memory is None:
        return None
    return {"device": memory.device, "eager_bytes": memory.eager, "traced_bytes": memory.traced}


def xla_object(compiled: Compiled | None) -> dict[str, Any] | None:
    """For JSON; None where XLA was not asked for."""
    if compiled is None:
        return None
    values = [
        {
            "kind": v.kind, "name": v.name, "max_abs": v.far.max_abs, "max_rel": v.far.max_rel, "ulp": v.far.ulp,
            "verdict": v.far.verdict,
        }
        for v in compiled.values
    ]  # fmt: skip
    times = {"seconds": compiled.seconds, "compile_seconds": compiled.compile_seconds}
    return {"verdict": compiled.verdict, **times, "values": values}


def grappler_list(rewritten: Sequence[Rewritten] | None) -> list[dict[str, Any]] | None:
    """For JSON; None where Grappler was not asked for."""
    if rewritten is None:
        return None
    return [
        {
            "change": r.change,
            "type": r.type,
            "name": r.name,
            "becomes": r.becomes,
            "file": r.path,
            "line": r.line,
        }
        for r in rewritten
    ]
