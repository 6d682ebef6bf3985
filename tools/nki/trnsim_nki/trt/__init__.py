"""The .trt trace format (docs/trace-format.md): TraceWriter, read, and the names it uses."""

from .names import TraceError, dtype_name
from .reader import Trace, read
from .writer import TraceWriter

__all__ = ["Trace", "TraceError", "TraceWriter", "dtype_name", "read"]
