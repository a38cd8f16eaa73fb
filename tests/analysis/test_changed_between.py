"""An attribute that a step reads: whether the loop that calls the step is sure to change it."""

from __future__ import annotations

import pytest

from tapeinspect.analysis.survival.between import changed_between
from tapeinspect.source import Source
from tapeinspect.trace.records import SurveyFact

CLASS = """
class Trainer(Base):
    def __init__(self):
        self.rate = 0.1
    def train_step(self, x):
        return x * self.rate  # READ
    def decay(self):
        {body}
    def fit(self, data):
        for x in data:
            self.train_step(x)  # IN fit: self
            {inner}
"""
HELPERS = {
    "set_rate": "def set_rate(value):\n    trainer.rate = value{}\n",
    "lower": "def lower(by, of):\n    of.rate *= by{}\n",
    "every_batch": "def every_batch(it):\n    every_other(it)\ndef every_other(it):\n    it.rate *= 0.5{}\n",
    "on_batch_end": "class A:\n    def on_batch_end(self, t, x):\n        t.rate = x{}\n",
    "shadow": "def shadow():\n    trainer = Trainer()\n    trainer.rate = 3\n",
    "on_epoch_end": "class B:\n    def on_epoch_end(self, t):\n        t.rate = 1\n"
    "class C:\n    def on_epoch_end(self, t):\n        pass\n",
}
CHANGED = {
    "in the loop": ("trainer.rate *= 0.9  # CHANGED", "pass", "pass"),
    "to a computed value": ("trainer.rate = schedule(x)  # CHANGED", "pass", "pass"),
    "to another constant under an if": ("if x > 5:\n        trainer.rate = 0.01  # CHANGED", "pass", "pass"),
    "by a method": ("trainer.decay()", "self.rate = self.rate * 0.9  # CHANGED", "pass"),
    "among others": ("a, trainer.rate = x, x  # CHANGED", "pass", "pass"),
    "by a method of a method": (
        "trainer.decay()",
        "self.apply()\n    def apply(self):\n        self.rate = 0  # CHANGED",
        "pass",
    ),
    "by a function that knows it as a global": ("set_rate(0.5)", "pass", "pass"),
    "by a function that is given it": ("lower(0.5, trainer)", "pass", "pass"),
    "by a function that is given it by name": ("lower(by=0.5, of=trainer)", "pass", "pass"),
    "by a function of a function": ("every_batch(trainer)", "pass", "pass"),
    "by a callback that is given it": (
        "for c in callbacks:\n        c.on_batch_end(trainer, x)",
        "pass",
        "pass",
    ),
    "in a method of the object's own": ("pass", "pass", "self.rate -= 0.01  # CHANGED"),
}
NOT_CHANGED = {
    "nowhere": ("pass", "pass", "pass"),
    "of another object": ("other.rate *= 0.9", "pass", "pass"),
    "another attribute": ("trainer.rates = 1", "self.count += 1", "pass"),
    "by a method that the loop does not call": ("trainer.report()", "self.rate *= 0.9", "pass"),
    "of a method of another class": ("other.decay()", "self.rate *= 0.9", "pass"),
    "set to what it is": ("trainer.rate = 0.1", "pass", "pass"),
    "another object in each turn": ("trainer = Trainer()\n    trainer.rate *= 0.9", "pass", "pass"),
    "in a function that is only written there": ("def f():\n        trainer.rate *= 0.9", "pass", "pass"),
    "by a function that is given another": ("lower(0.5, other)", "pass", "pass"),
    "by a function with a name of its own for another": ("shadow()", "pass", "pass"),
    "by a callback that two classes have": ("c.on_epoch_end(trainer)", "pass", "pass"),
    "by a function that another is": ("unknown(trainer)", "pass", "pass"),
    "by the step itself": ("trainer.train_step(x)", "pass", "pass"),
}


def look(before: str, inner: tuple[str, str, str]) -> tuple[int | None, int | None]:
    """(line found, line of the comment CHANGED) for a script with a class, and a loop that calls its step."""
    text = CLASS.format(body=inner[1], inner=inner[2])
    helper = next((text for name, text in HELPERS.items() if name in inner[0]), "")
    text += helper.format("  # CHANGED" if "other" not in inner[0] else "")
    text += f"trainer, other = Trainer(), Trainer()\n{before}\nfor x in data:\n"
    text += "    trainer.train_step(x)  # IN module: trainer\n"
    text += f"    {inner[0]}\n"
    lines = text.split("\n")
    at = {mark: next((i for i, line in enumerate(lines, 1) if f"# {mark}" in line), 0)
          for mark in ("READ", "CHANGED", "IN fit", "IN module")}  # fmt: skip
    fit = next(i for i, line in enumerate(lines, 1) if "def fit" in line)
    callers = [["train.py", fit, at["IN fit"], ["self"]], ["train.py", 0, at["IN module"], ["trainer"]]]
    detail = {
        "scope": "attribute",
        "kind": "float",
        "value": "0.1",
        "classes": ["Trainer", "Base"],
        "callers": callers,
    }
    fact = SurveyFact(1, "read", 1, "train.py", at["READ"], "self.rate", 1, detail)
    found = changed_between(fact, {"train.py": Source(text)}, "train_step")
    return found[1] if found is not None else None, at["CHANGED"] or None


@pytest.mark.parametrize("name", CHANGED)
def test_a_change_in_the_loop_is_found(name: str) -> None:
    found, wanted = look("", CHANGED[name])
    assert found == wanted is not None


@pytest.mark.parametrize("name", NOT_CHANGED)
def test_nothing_is_said_of_what_is_not_sure_to_change(name: str) -> None:
    assert look("", NOT_CHANGED[name])[0] is None


def test_what_is_set_before_the_loop_is_no_change() -> None:
    assert look("trainer.rate = 0.5\ntrainer.decay()", ("pass", "self.rate *= 0.9", "pass"))[0] is None


def test_a_file_whose_source_is_missing_says_nothing() -> None:
    detail = {"classes": ["Trainer"], "callers": [["gone.py", 0, 3, ["trainer"]]], "value": "0.1"}
    fact = SurveyFact(1, "read", 1, "train.py", 3, "self.rate", 1, detail)
    assert changed_between(fact, {"train.py": Source(None)}, "train_step") is None
