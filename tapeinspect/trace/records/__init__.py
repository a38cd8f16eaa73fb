"""The facts of a recording, as frozen dataclasses: what the reader gives and every view shows.

Tensor ids, op ids and so on are the ids of the trace file (`tapeinspect.trace.schema`). Times: `time_us` is
microseconds since the recording started, `took_ns` nanoseconds, `seconds` seconds.
"""

from tapeinspect.trace.records.autograph import (
    AutographConstruct,
    AutographFailure,
    AutographFold,
    AutographFunction,
    AutographMark,
    AutographRun,
    LoopVariable,
)
from tapeinspect.trace.records.causes import (
    NoneEvidence,
    OriginElement,
    OriginInput,
    OriginNote,
    PathStep,
    Reason,
)
from tapeinspect.trace.records.failures import ErrorFrame, ProbeError, ScriptFailure
from tapeinspect.trace.records.findings import Finding, IdleDropout, Sample, Severity, Watched
from tapeinspect.trace.records.gradients import (
    BackwardCall,
    Flow,
    Gradient,
    GradientCall,
    Tape,
    TapeEvent,
    Variable,
    VariableStep,
)
from tapeinspect.trace.records.graphs import FunctionTrace, Opaque, Survey, SurveyFact
from tapeinspect.trace.records.loop_bodies import LoopBody
from tapeinspect.trace.records.ops import Edge, Health, Op, OpFilter, OpRow, Output, Stats, TensorSpec, Value
from tapeinspect.trace.records.recording import Counts, Frame, Meta, SourceFile, Stack
from tapeinspect.trace.records.steps import Argument, LineCost, Step

__all__ = [
    "Argument",
    "AutographConstruct",
    "AutographFailure",
    "AutographFold",
    "AutographFunction",
    "AutographMark",
    "AutographRun",
    "BackwardCall",
    "Counts",
    "Edge",
    "ErrorFrame",
    "Finding",
    "Flow",
    "Frame",
    "FunctionTrace",
    "Gradient",
    "GradientCall",
    "Health",
    "IdleDropout",
    "LineCost",
    "LoopBody",
    "LoopVariable",
    "Meta",
    "NoneEvidence",
    "Op",
    "OpFilter",
    "OpRow",
    "Opaque",
    "OriginElement",
    "OriginInput",
    "OriginNote",
    "Output",
    "PathStep",
    "ProbeError",
    "Reason",
    "Sample",
    "ScriptFailure",
    "Severity",
    "SourceFile",
    "Stack",
    "Stats",
    "Step",
    "Survey",
    "SurveyFact",
    "Tape",
    "TapeEvent",
    "TensorSpec",
    "Value",
    "Variable",
    "VariableStep",
    "Watched",
]
