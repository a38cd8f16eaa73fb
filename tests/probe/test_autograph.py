"""What AutoGraph makes of functions, against what TensorFlow itself says of them."""

from __future__ import annotations

import sys
from functools import cached_property
from itertools import pairwise
from typing import Any

import pytest

from tapeinspect.trace.records import AutographConstruct, AutographFunction, AutographRun
from tests.probe.recorded import Run, Runner, own

CORPUS = own("autograph_corpus", recorded=False)
STEP = own("autograph_step", "--autograph")
PLAIN = own("autograph_step", recorded=False)
"""The same without us."""
RECORDINGS = [CORPUS, STEP, PLAIN]
pytestmark = pytest.mark.tf


class Corpus:
    """The traces of the corpus, by the name of what was traced."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.truth = run.truth
        self.graph = run.trace.autograph
        self.runs: dict[str, AutographRun] = {found.function: found for found in self.graph.runs()}

    @cached_property
    def paths(self) -> str:
        """The corpus' own file."""
        return str(self.run.recording.script)

    def functions(self, name: str) -> list[AutographFunction]:
        """What a trace met."""
        return self.graph.functions(self.runs[name].id)

    def root(self, name: str) -> AutographFunction:
        """What was traced."""
        return next(f for f in self.functions(name) if f.name == name)

    def met(self, name: str, what: str) -> AutographFunction:
        """One of the functions that a trace met."""
        return next(f for f in self.functions(name) if f.name == what)

    def constructs(self, name: str, what: str | None = None) -> list[AutographConstruct]:
        """The constructs of what was traced."""
        found = self.graph.constructs(self.root(name).id)
        return [construct for construct in found if what in (None, construct.construct)]

    def one(self, name: str, what: str) -> AutographConstruct:
        """The only construct of a kind."""
        (found,) = self.constructs(name, what)
        return found

    def marks(self, name: str) -> list[str]:
        """The marks of the lines of what was traced, in order."""
        root = self.root(name)
        marks = self.graph.marks(self.runs[name].id, self.paths)
        span = range(root.line or 0, (root.end_line or 0) + 1)
        return [f"{m.mark}{m.count if m.mark == 'U' else ''}" for line, m in marks.items() if line in span]


@pytest.fixture(scope="module")
def corpus(runner: Runner) -> Corpus:
    run = runner.get(CORPUS)
    assert run.status == 0, run.stderr
    return Corpus(run)


def test_generated_source_and_map_are_autographs_own(corpus: Corpus) -> None:
    for name, theirs in corpus.truth["own"].items():
        root = corpus.root(name)
        assert root.generated == theirs["code"], name
        assert {str(line): at for line, at in corpus.graph.lines(root.id).items()} == theirs["map"], name


def test_generated_source_and_map_of_keras_layers_and_scripts(corpus: Corpus) -> None:
    compared = corpus.truth["compared"]
    assert len(compared) > 60 and {"Dense", "LSTM", "train_step"} & set(compared) == {
        "Dense",
        "LSTM",
        "train_step",
    }
    assert [name for name, (code, lines, count) in compared.items() if not (code and lines and count)] == []


def test_nothing_is_left_behind(corpus: Corpus) -> None:
    assert corpus.truth["after"] == corpus.truth["before"]


@pytest.mark.parametrize(
    ("name", "construct", "became", "count"),
    [
        ("if_tensor", "if", "StatelessIf", 1),
        ("if_tensor", "comparison", "Greater", 1),
        ("if_python", "if", "python", 1),
        ("while_tensor", "while", "StatelessWhile", 1),
        ("while_python", "while", "python", 4),
        ("for_tensor", "for", "StatelessWhile", 1),
        ("for_range", "for", "StatelessWhile", 1),
        ("for_python", "for", "python", 5),
        ("for_dataset", "for", "ReduceDataset", 1),
        ("loop_jumps", "break", "StatelessIf", 1),
        ("loop_jumps", "continue", "StatelessIf", 1),
        ("python_jumps", "break", "python", 1),
        ("python_jumps", "continue", "python", 1),
        ("logic_tensor", "and", "LogicalAnd", 1),
        ("logic_tensor", "or", "LogicalOr", 1),
        ("logic_tensor", "not", "LogicalNot", 1),
        ("ternary", "conditional", "StatelessIf", 1),
        ("logic_python", "conditional", "python", 1),
        ("asserts", "assert", "python", 1),
        ("python_effects", "print", "python", 1),
        ("python_effects", "append", "python", 1),
        ("fails_on_bool", "comparison", "not_run", 0),
    ],
)
def test_what_a_construct_became(corpus: Corpus, name: str, construct: str, became: str, count: int) -> None:
    found = corpus.one(name, construct)
    assert (found.became, found.count) == (became, count), found.text


def test_comparisons(corpus: Corpus) -> None:
    found = [construct.became for construct in corpus.constructs("comparisons", "comparison")]
    assert found == ["Less", "GreaterEqual", "Equal", "NotEqual", "Less"]
    assert "chained" in corpus.constructs("comparisons", "comparison")[-1].text


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 does not tell columns")
def test_lambdas_on_one_line_are_told_apart(corpus: Corpus) -> None:
    function = corpus.root("lambdas_in_a_line")
    lines = (function.source or "").splitlines()
    found = {
        lines[c.line - (function.line or 0)][c.col : c.end_col]: (c.became, "not called" in c.text)
        for c in corpus.constructs("lambdas_in_a_line")
        if c.construct != "return"
    }
    assert {text for text, became in found.items() if text.startswith("lambda") and became[1]} == {
        "lambda v: v + 1.0 if v[0] < 9.0 else v",
        "lambda v: -v",
    }
    assert found["lambda v: v * 2.0"] == found["lambda v: v * v"] == found["lambda v: v"] == ("python", False)
    assert found["v + 1.0 if v[0] < 9.0 else v"][0] == found["v[0] < 9.0"][0] == "not_run"
    assert found["abs(v) if x.shape[0] > 1 else v"][0] == found["x.shape[0] > 1"][0] == "python"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 does not tell columns")
def test_constructs_of_a_kind_on_one_line_are_told_apart(corpus: Corpus) -> None:
    lines = (corpus.root("logic_in_a_line").source or "").splitlines()
    first = corpus.root("logic_in_a_line").line or 0
    found = {}
    for c in corpus.constructs("logic_in_a_line"):
        found[lines[c.line - first][c.col : c.end_col]] = c.became
    assert {
        text: became for text, became in found.items() if "reduce_sum" not in text and "both" not in text
    } == {
        "(a and b) or (flag and n < 5)": "LogicalOr",
        "a and b": "LogicalAnd",
        "flag and n < 5": "python",
        "n < 5": "python",
        "not a": "LogicalNot",
        "not flag": "python",
        "x if a else -x": "StatelessIf",
        "(1 if n > 5 else 2) if flag else 3": "python",
        "1 if n > 5 else 2": "python",
        "n > 5": "python",
        "x[0] < 7.0 or n < 7": "LogicalOr",
        "x[0] < 7.0": "Less",
        "n < 7": "python",
        "flag or (flag and n)": "python",
        "flag and n": "not_run",
    }
    counts: dict[str, list[int]] = {}
    for c in corpus.constructs("logic_in_a_line"):
        counts.setdefault(c.construct, []).append(c.count)
    assert (counts["and"], counts["or"], counts["not"]) == ([1, 1, 0], [1, 1, 1], [1, 1])


def test_returns_inside_a_branch_are_flags(corpus: Corpus) -> None:
    first, second = corpus.constructs("early_return", "return")
    assert (first.became, second.became) == ("StatelessIf", "python")


def test_python_branches_are_counted(corpus: Corpus) -> None:
    first, second = corpus.constructs("python_jumps", "if")
    assert dict(first.branches) == {"if": 1, "else": 6}
    assert dict(second.branches) == {"if": 1, "else": 5}
    assert corpus.one("if_python", "if").branches == (("if", 1),)
    assert corpus.one("logic_python", "conditional").branches == (("if", 1),)


def test_loop_variables_and_shape_invariants(corpus: Corpus) -> None:
    (x,) = corpus.one("while_tensor", "while").variables
    assert (x.name, x.text, x.invariant) == ("x", "float32 (3)", None)
    (values,) = corpus.one("grown", "for").variables
    assert (values.name, values.text, values.invariant) == ("values", "float32 (0)", "(None,)")
    (y,) = corpus.one("if_tensor", "if").variables
    assert (y.name, y.text) == ("y", "float32 (3)")


def test_marks(corpus: Corpus) -> None:
    assert corpus.marks("if_python") == ["P", "G", "·", "P"]
    assert corpus.marks("for_python") == ["U5", "G", "P"]
    assert corpus.marks("python_effects") == ["P", "P", "P"]
    assert corpus.marks("fails") == ["P", "·"]


def test_graph_ops_of_a_line_are_tensorflows(corpus: Corpus) -> None:
    root, run = corpus.root("if_python"), corpus.runs["if_python"]
    marks = corpus.graph.marks(run.id, corpus.paths)
    assert marks[(root.line or 0) + 2].ops == 2  # Mul and its constant
    assert run.ops == 4  # with the argument and the Identity of the result


def test_columns_are_those_of_the_source(corpus: Corpus) -> None:
    root, found = corpus.root("ternary"), corpus.one("ternary", "conditional")
    line = (root.source or "").splitlines()[found.line - (root.line or 0)]
    assert line[found.col : found.end_col] == "x if tf.reduce_sum(x) > 0 else -x"


@pytest.mark.parametrize(
    ("name", "kind", "rule"),
    [
        ("untouched", "function", "do_not_convert"),
        ("own_graph", "tf.function", "tf_function"),
        ("cached", "object", "lru_cache"),
        ("generator", "generator", "generator"),
        ("dynamic", "function", "dynamic"),
        ("Dense", "object", "allow_listed"),
        ("len", "builtin", "builtin"),
        ("float32", "class", "constructor"),
        ("Scale", "class", "constructor"),
    ],
)
def test_why_a_function_is_not_converted(corpus: Corpus, name: str, kind: str, rule: str) -> None:
    met = corpus.met("calls" if name != "Scale" else "returns_object", name)
    assert (met.status, met.kind, met.rule) == ("not_converted", kind, rule)
    assert met.reason


def test_functions_that_are_called_are_converted_too(corpus: Corpus) -> None:
    root = corpus.root("calls")
    met = {f.name: f for f in corpus.functions("calls") if f.kind != "class"}
    assert met["Scale.method"].status == "converted" and met["Scale.method"].parent == root.id
    assert (
        met["Scale"].kind == "object"
        and met["Scale"].parent == met["Scale.method"].id
        and met["Scale"].calls == 2
    )
    converted = [f for f in corpus.functions("calls") if f.name == "own_graph" and f.status == "converted"]
    assert [f.kind for f in converted] == ["function"]  # inside of the tf.function
    names = [f.name for f in corpus.functions("calls")]
    assert names.index("Scale.method") < names.index("reduce_sum")  # the user's first


def test_nested_functions_are_within_the_one_around_them(corpus: Corpus) -> None:
    root = corpus.root("inner_functions")
    nested = {f.name: f for f in corpus.functions("inner_functions") if f.within == root.id}
    assert {name: f.kind for name, f in nested.items()} == {
        "inner_functions.<locals>.<lambda>": "lambda",
        "inner_functions.<locals>.below": "function",
    }


def test_a_failed_trace_is_told_in_the_users_terms(corpus: Corpus) -> None:
    assert corpus.runs["fails"].status == "failed"
    failure = corpus.graph.failure(corpus.runs["fails"].id)
    assert failure is not None and failure.type == "AttributeError" and failure.path == corpus.paths
    assert [frame.function for frame in failure.frames if frame.user] == ["fails", "helper_of_failure"]
    assert failure.line == next(f for f in failure.frames if f.function == "helper_of_failure").line
    assert ".numpy()" in failure.explanation and failure.hint
    unreached = corpus.met("fails", "unreached")  # the rest is shown all the same
    assert unreached.status == "converted" and unreached.calls == 0 and unreached.generated


@pytest.mark.parametrize(
    ("name", "type", "words"),
    [
        ("fails_on_bool", "OperatorNotAllowedInGraphError", "cannot decide here"),
        ("one_branch", "ValueError", "branch"),
        ("returns_object", "TypeError", "gives back"),
    ],
)
def test_failures_are_explained(corpus: Corpus, name: str, type: str, words: str) -> None:
    failure = corpus.graph.failure(corpus.runs[name].id)
    assert failure is not None and failure.type == type and words in failure.explanation
    assert failure.line is not None


def test_folds_hold_only_what_the_user_did_not_write(corpus: Corpus) -> None:
    for name in corpus.truth["own"]:
        root = corpus.root(name)
        text = (root.generated or "").splitlines()
        folds = corpus.graph.folds(root.id)
        assert folds and all(a.last < b.first for a, b in pairwise(folds))
        shown = [line for n, line in enumerate(text, 1) if not any(f.first <= n <= f.last for f in folds)]
        hidden = [line for line in text if line not in shown]
        assert not any(
            word in line for line in shown for word in ("def get_state", "def set_state", "FunctionScope")
        )
        assert not any(
            word in line for line in hidden for word in ("if_stmt", "for_stmt", "while_stmt", "def loop_body")
        )


@pytest.fixture(scope="module")
def step(runner: Runner) -> Run:
    run = runner.get(STEP)
    assert run.status == 0, run.stderr
    return run


def test_a_script_goes_on_as_if_its_step_had_not_been_traced(step: Run, runner: Runner) -> None:
    plain = runner.get(PLAIN)
    assert plain.status == 0 and step.stdout == plain.stdout


def test_the_step_of_a_trainer_is_traced_with_its_batch(step: Run) -> None:
    (run,) = step.trace.autograph.runs()
    (survey,) = step.trace.surveys()
    assert survey.seconds == run.trace_seconds, (
        "one trace tells what AutoGraph made and what does not survive"
    )
    assert (run.step, run.function, run.status) == (1, "Trainer.step", "traced")
    assert run.trace_seconds and run.convert_seconds and run.trace_seconds > run.convert_seconds
    root = next(f for f in step.trace.autograph.functions(run.id) if f.name == "Trainer.step")
    assert root.kind == "method" and root.status == "converted"
    found: Any = {c.construct: c.became for c in step.trace.autograph.constructs(root.id)}
    assert found["if"].endswith("If") and found["print"] == "python"


def test_its_ops_are_not_the_scripts(step: Run) -> None:
    ops = [found.ops for found in step.trace.steps()]
    assert ops[1] == ops[2] and ops[0] >= ops[1] and len(ops) == 3
