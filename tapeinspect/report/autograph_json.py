"""What AutoGraph made of a script, as one JSON object: the records of `tapeinspect.trace.records`, by their names."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from tapeinspect.report.autograph import FunctionReport, Report
from tapeinspect.report.loop_body import loop_object

_LISTED = (
    *("name", "module", "kind", "role", "path", "line", "call_path", "call_line"),
    *("calls", "status", "rule", "reason"),
)


def write(report: Report) -> str:
    """{"run", "failure", "functions": [{…, "lines": {generated: original}, "folds", "constructs", "marks"}],
    "not_converted", "findings", "traces"}."""
    body = {
        "run": dataclasses.asdict(report.run),
        "failure": None if report.failure is None else dataclasses.asdict(report.failure),
        "functions": [_function(function) for function in report.shown],
        "not_converted": [{key: getattr(function, key) for key in _LISTED} for function in report.listed],
        "findings": [dataclasses.asdict(finding) for finding in report.findings],
        "as_function": loop_object(report.body),
        "traces": [dataclasses.asdict(trace) for trace in report.traces],
    }
    return json.dumps(body, ensure_ascii=False, indent=2) + "\n"


def _function(report: FunctionReport) -> dict[str, Any]:
    return {
        **dataclasses.asdict(report.function),
        "lines": {str(generated): original for generated, original in report.lines.items()},
        "folds": [dataclasses.asdict(fold) for fold in report.folds],
        "constructs": [dataclasses.asdict(construct) for construct in report.constructs],
        "marks": [dataclasses.asdict(mark) for mark in report.marks.values()],
    }
