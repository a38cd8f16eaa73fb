"""The graph of the step as Grappler leaves it: which ops are fused, folded, replaced, removed or added."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

from tapeinspect.probe import tf_private
from tapeinspect.probe.diff.align import PLUMBING
from tapeinspect.probe.diff.blame import Spot
from tapeinspect.probe.diff.listed import OpList
from tapeinspect.probe.diff.runs import Runner
from tapeinspect.probe.tf_state import EqualSeeds

CAPABILITY: Final = "optimized_graphs"
_ENDS: Final = frozenset({"_Arg", "_Retval", "_DeviceArg", "_DeviceRetval"})
_CALLS: Final = (
    "If", "StatelessIf", "While", "StatelessWhile", "Case", "StatelessCase", "PartitionedCall",
    "StatefulPartitionedCall",
)  # fmt: skip
"""Ops that are dissolved into what their functions hold."""
_DRAWS: Final = ("Random", "Multinomial", "TruncatedNormal", "Parameterized")
"""Ops that give another value each time, whatever their inputs."""
_LOWERED: Final = frozenset({
    "Switch", "Merge", "Enter", "Exit", "NextIteration", "LoopCond", "_SwitchN", "RefSwitch", "RefMerge",
})  # fmt: skip
"""What branches and loops are dissolved into."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """One op that Grappler changed."""

    change: Literal["fused", "folded", "replaced", "removed", "added"]
    type: str
    name: str
    into: str
    """Type of the op that computes it instead; "" for one that is removed or added."""
    spot: Spot | None


def optimized(runner: Runner, seeds: EqualSeeds) -> list[Rewritten] | str:
    """What Grappler changes of the step, in the order of the graph; a sentence where that cannot be told."""
    if not tf_private.available().get(CAPABILITY):
        return "this TensorFlow does not show the graph as Grappler leaves it"
    if collects_already():
        return "the script collects graphs of its own, so that Grappler's could not be told apart"
    ops = OpList(runner.places)
    with collecting() as graphs:
        side = runner.traced(seeds, 1, ops)
    if side.error is not None:
        return "the graph was not optimised, since the traced step fails"
    best = max(graphs, key=lambda pair: sum(node.name in ops.ops for node in pair[0].node), default=None)
    if best is None or not any(node.name in ops.ops for node in best[0].node):
        return "TensorFlow did not show the graph as Grappler leaves it"
    return compare_graphs(_nodes(best[0]), _nodes(best[1]), ops)


def collects_already() -> bool:
    """Whether the script has TensorFlow collect graphs or figures of its runs."""
    context: Any = tf_private.resolve("tensorflow.python.eager.context:context")()
    return bool(getattr(context, "_collect_graphs", False) or getattr(context, "_run_metadata", None))


@contextmanager
def collecting() -> Iterator[list[tuple[Any, Any]]]:
    """The graphs, before and after, of the functions that run inside for the first time; there when it ends."""
    context: Any = tf_private.resolve("tensorflow.python.eager.context:context")()
    found: list[tuple[Any, Any]] = []
    context.enable_graph_collection()
    try:
        yield found
    finally:
        metadata = context.export_run_metadata()
        context.disable_graph_collection()
        for graphs in metadata.function_graphs if metadata is not None else ():
            found.append((graphs.pre_optimization_graph, graphs.post_optimization_graph))


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a graph."""

    name: str
    type: str
    inputs: tuple[str, ...] = ()
    """Names of the nodes whose outputs it takes."""
    fused: tuple[str, ...] = ()
    """Types of the ops that a fused one holds besides its own."""


def _nodes(graph: Any) -> dict[str, Node]:
    found = {}
    for node in graph.node:
        inputs = tuple(name.partition(":")[0] for name in node.input if not name.startswith("^"))
        listed = node.attr["fused_ops"].list.s if "fused_ops" in node.attr else ()
        found[node.name] = Node(node.name, node.op, inputs, tuple(name.decode() for name in listed))
    return found


def compare_graphs(before: Mapping[str, Node], after: Mapping[str, Node], ops: OpList) -> list[Rewritten]:
    """What became of each op. Constants and ops that only pass tensors on are left out, and so is what is dissolved."""
    fused = {name: node.type for node in after.values() for name in _held(node, before, after)}
    constant = _constants(before)
    found = []
    for node in before.values():
        changed = (
            _change(node, after, fused, constant)
            if node.type not in PLUMBING and node.type not in _ENDS
            else None
        )
        if changed is not None:
            listed = ops.find(node.name)
            found.append(Rewritten(*changed, spot=listed.spot if listed is not None else None))
    calls = tuple(f"{node.name}/" for node in before.values() if node.type in _CALLS)
    for node in after.values():
        if node.name in before or node.type in PLUMBING or node.type in _ENDS or node.type in _LOWERED:
            continue
        if not node.name.startswith(calls or ("\0",)) and "/_" not in node.name:
            found.append(Rewritten("added", node.type, node.name, "", _spot_of(node.name, ops)))
    return found


def _change(
    node: Node, after: Mapping[str, Node], fused: Mapping[str, str], constant: Set[str]
) -> tuple[Literal["fused", "folded", "replaced", "removed"], str, str, str] | None:
    left = after.get(node.name)
    if node.name in fused:
        return "fused", node.type, node.name, fused[node.name]
    if node.type in _CALLS and (left is None or left.type in PLUMBING):
        return None
    if left is None and node.name not in constant:
        return "removed", node.type, node.name, ""
    if left is not None and left.type == node.type:
        return None
    if left is None or left.type == "Const":
        return "folded", node.type, node.name, "Const"
    return "replaced", node.type, node.name, left.type


def _constants(graph: Mapping[str, Node]) -> Set[str]:
    """The nodes that are computed from constants alone."""
    found: set[str] = set()
    for node in graph.values():  # each stands behind its inputs, save in loops
        known = node.type == "Const" or (node.inputs and all(name in found for name in node.inputs))
        if known and not node.type.startswith(_DRAWS):
            found.add(node.name)
    return found


def _held(node: Node, before: Mapping[str, Node], after: Mapping[str, Node]) -> Iterator[str]:
    """The ops that a fused one computes: itself, and those before it that are gone and of its types."""
    if not node.fused or node.name not in before:
        return
    types = {*node.fused, node.type.removeprefix("_Fused").removeprefix("_")}
    types |= {"Add", "AddV2"} if "BiasAdd" in types else set()
    waiting = [node.name]
    while waiting:
        name = waiting.pop()
        yield name
        waiting += [
            given
            for given in before[name].inputs
            if given in before and given not in after and before[given].type in types
        ]


def _spot_of(name: str, ops: OpList) -> Spot | None:
    """The line of an op that was made of another, whose name is then a part of its own."""
    parts = name.split("/")
    for first in range(len(parts)):
        for last in range(len(parts), first, -1):
            listed = ops.find("/".join(parts[first:last]))
            if listed is not None:
                return listed.spot
    return None
