"""All that a user should look at in a recording, worked out from the trace: the one list that every view shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tapeinspect.analysis import causes, survival
from tapeinspect.analysis.health.rules import BY_ID, RULES
from tapeinspect.analysis.health.run import Run
from tapeinspect.errors import UsageError
from tapeinspect.trace.reader import TraceReader
from tapeinspect.trace.records import Finding

SEVERITIES: Final = ("error", "warning", "info")
"""The worst first."""

SOURCES: Final[tuple[Callable[[TraceReader], Iterable[Finding]], ...]] = (
    causes.find,
    lambda reader: survival.findings(reader) or (),
)
"""Analyses beside the rules that give findings."""


_EXPLAINED: Final = {"zero-gradient": ("dead-relu", "softmax-of-one", "training-flag")}
"""Findings that say no more than an error of one of these rules, whose consequence they are."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Which rules are asked, and from which figures on."""

    limits: Mapping[str, float] = field(default_factory=dict)
    """Figures that take the place of a rule's own."""
    on: frozenset[str] = frozenset()
    """Rules that are off by themselves."""
    off: frozenset[str] = frozenset()
    """Names of rules that are not to be heard; of any finding, not only of those in the table."""


def settings(adjusted: Iterable[str] = (), off: Iterable[str] = ()) -> Settings:
    """Settings as the command line has them: `dead-relu=0.9`, or `update-ratio` for a rule that is off by itself.

    Raises UsageError for an unknown rule and for what is not a number.
    """
    limits: dict[str, float] = {}
    on: set[str] = set()
    for text in adjusted:
        name, equals, value = text.partition("=")
        rule = BY_ID.get(name)
        if rule is None:
            raise UsageError(f"there is no rule {name!r}", f"the rules are {', '.join(BY_ID)}")
        on.add(name)
        if equals:
            if rule.limit is None:
                raise UsageError(
                    f"the rule {name} has no figure to adjust", f"--no-rule {name} switches it off"
                )
            try:
                limits[name] = float(value)
            except ValueError:
                hint = f"for example --rule {name}={rule.limit:g}"
                raise UsageError(f"{value!r} in --rule {text} is not a number", hint) from None
    return Settings(limits, frozenset(on), frozenset(off))


def find(reader: TraceReader, how: Settings | None = None) -> list[Finding]:
    """All findings, the worst first, in order of batches. Raises TraceError when the recording cannot be read."""
    how = how or Settings()
    run = Run(reader)
    found = list(reader.findings())
    for source in SOURCES:
        found += source(reader)
    for rule in RULES:
        if rule.id not in how.off and (rule.on or rule.id in how.on):
            found += rule.check(run, how.limits.get(rule.id, rule.limit or 0.0))
    rules = {item.rule for item in found if item.severity == "error"}
    found = [item for item in found if rules.isdisjoint(_EXPLAINED.get(item.rule, ()))]
    return sorted(_once(item for item in found if item.rule not in how.off), key=_order)


def _once(found: Iterable[Finding]) -> list[Finding]:
    """Each finding once: a rule says the same of a line in several batches, and the first time will do."""
    kept: dict[tuple[object, ...], Finding] = {}
    for item in found:
        repeats = item.rule in BY_ID and item.path is not None
        kept.setdefault((item.rule, item.path, item.line, "" if repeats else item.message), item)
    return list(kept.values())


def _order(item: Finding) -> tuple[object, ...]:
    return (SEVERITIES.index(item.severity), item.step or 0, item.path or "", item.line or 0, item.rule)
