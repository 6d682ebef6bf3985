"""trnsim_nki: runs unmodified NKI kernels in plain Python and records what they ask the hardware for."""
from .errors import KernelError, KernelWarning, NotImplementedInTrnsim
from .kernel import Kernel, Result, Spec, jit, spec, trace
from .namespaces import install
from .runner import run_trace, simulate

__version__ = "0.1"
__all__ = ["Kernel", "KernelError", "KernelWarning", "NotImplementedInTrnsim", "Result", "Spec",
           "install", "jit", "run_trace", "simulate", "spec", "trace"]
