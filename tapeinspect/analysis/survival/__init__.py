"""What of a step does not survive tracing, worked out from the facts of a trace that was made to see it."""

from __future__ import annotations

from tapeinspect.analysis.survival.answer import Problem, explain_failure, findings, problems

__all__ = ["Problem", "explain_failure", "findings", "problems"]
