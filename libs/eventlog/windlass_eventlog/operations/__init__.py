"""What operators ask services to do, over the bucket OPERATIONS: nobody calls a service, it is asked and answers."""

from windlass_eventlog.operations.answering import Answering, OfProjects, Operation, Report
from windlass_eventlog.operations.asking import Asking, BusyError
from windlass_eventlog.operations.findings import Checked, Finding, Invariant, Verified
from windlass_eventlog.operations.model import (
    OF_PROJECTS,
    Accepted,
    Answer,
    Collectable,
    Collected,
    Done,
    Failed,
    Halt,
    Kind,
    Rebuilt,
    Request,
    Result,
    Running,
    Silent,
    Standing,
    State,
)

__all__ = [
    "OF_PROJECTS",
    "Accepted",
    "Answer",
    "Answering",
    "Asking",
    "BusyError",
    "Checked",
    "Collectable",
    "Collected",
    "Done",
    "Failed",
    "Finding",
    "Halt",
    "Invariant",
    "Kind",
    "OfProjects",
    "Operation",
    "Rebuilt",
    "Report",
    "Request",
    "Result",
    "Running",
    "Silent",
    "Standing",
    "State",
    "Verified",
]
