"""The modules kernels import: nki, nki.isa, ... They exist in sys.modules inside install() only."""
import builtins as _builtins
import contextlib
import importlib.abc
import importlib.machinery
import math
import sys
import types

import numpy as np

from . import beta1, collectives, dtypes, errors, host_stubs, isa, kernel, language, runner
from .symbols import UNIMPLEMENTED

LIST = "tools/nki/COVERAGE.md"


class Namespace(types.ModuleType):
    """A module that says clearly when a kernel asks for something that is not there."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        short = {"nki.language": "nl", "nki.isa": "nisa", "nki.collectives": "ncc"}.get(
            self.__name__, self.__name__)
        known = name in UNIMPLEMENTED.get(self.__name__, ())
        if known or self.__name__ in ("nki.language", "nki.isa", "nki.collectives"):
            raise errors.NotImplementedInTrnsim(
                f"{errors.where()}: {short}.{name} is not implemented; {LIST} lists what is")
        raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")


def _public(source):
    return {name: value for name, value in vars(source).items()
            if not name.startswith("_") and not isinstance(value, types.ModuleType)}


def _module(name, contents, package=False):
    module = Namespace(name)
    module.__dict__.update(contents)
    if package:
        module.__path__ = []
    module.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=package)
    return module


def build():
    """All namespaces by module name."""
    nl = _public(language)
    nisa = _public(isa)
    constants = {name: nisa[name] for name in (
        "engine", "reduce_cmd", "dge_mode", "oob_mode", "matmul_perf_mode", "nc_version", "dma_engine")}
    ncc = _public(collectives)
    ncc["cpi_current_rank_id"] = ncc["collective_permute_implicit_current_processing_rank_id"]
    root = {"jit": kernel.jit, "NKIObject": language.NKIObject, "trace": kernel.jit,
            "ReplicaGroup": collectives.ReplicaGroup, **runner.VENDOR_CALLS}
    modules = {
        "nki": _module("nki", root, package=True),
        "nki.language": _module("nki.language", nl, package=True),
        "nki.language.tile_size": language.tile_size,
        "nki.isa": _module("nki.isa", nisa, package=True),
        "nki.isa.constants": _module("nki.isa.constants", constants),
        "nki.collectives": _module("nki.collectives", ncc),
        "nki.typing": _module("nki.typing", {"tensor": _Typing("tensor"), "mutable_tensor": _Typing(
            "mutable_tensor"), "scalar": _Typing("scalar")}),
        "nki.dtype": _module("nki.dtype", dict(dtypes.TABLE, dtype=dtypes.of)),
        "nki.tensor": _module("nki.tensor", {"identity": _identity, "Tensor": language.NkiTensor,
                                             "zeros": _host_zeros}),
        "nki.compiler": _module("nki.compiler", {}),
        "nki.experimental": _module("nki.experimental", {"while_loop": language.while_loop,
                                                         "fori_loop": language.fori_loop}),
    }
    for name, module in modules.items():
        parent, _, child = name.rpartition(".")
        if parent in modules and name != "nki.language.tile_size":
            setattr(modules[parent], child, module)
    del modules["nki.language.tile_size"]
    return modules


def _identity(n, dtype="float32"):
    return np.eye(n, dtype=dtypes.of(dtype).numpy)


def _host_zeros(shape, dtype="float32"):
    return np.zeros(shape, dtypes.of(dtype).numpy)


class _Typing:
    """Annotations such as nt.tensor[N, M]: accepted, not checked."""

    def __init__(self, name):
        self.name = name

    def __getitem__(self, item):
        return self

    def __call__(self, *args, **kwargs):
        return args[0] if args else self

    def __or__(self, other):
        return self

    def __ror__(self, other):
        return self

    def __repr__(self):
        return f"nt.{self.name}"


class _Finder(importlib.abc.MetaPathFinder):
    """Modules of hosts that are not installed become inert ones."""

    def find_spec(self, fullname, path=None, target=None):
        if host_stubs.stands_in_for(fullname):
            return importlib.machinery.ModuleSpec(fullname, host_stubs.Loader(), is_package=True)
        return None


@contextlib.contextmanager
def install(stubs=True):
    """Makes `import nki` work inside the block."""
    modules = build()
    modules.update(beta1.modules())
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    finder = _Finder()
    if stubs:
        sys.meta_path.append(finder)
    try:
        with builtins():
            yield modules
    finally:
        if stubs:
            sys.meta_path.remove(finder)
        for name, old in before.items():
            if old is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = old
        if stubs and not any(isinstance(other, _Finder) for other in sys.meta_path):
            for name in [n for n, m in sys.modules.items() if isinstance(m, host_stubs.Module)]:
                del sys.modules[name]


@contextlib.contextmanager
def builtins():
    """Kernels use `math` without importing it."""
    missing = not hasattr(_builtins, "math")
    if missing:
        _builtins.math = math
    try:
        yield
    finally:
        if missing:
            del _builtins.math


