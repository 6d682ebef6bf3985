"""NKI beta 1: the namespace neuronxcc.nki, as modules for namespaces.install()."""
import importlib.machinery
import logging
import types

from .. import dtypes, errors, language as core_language, tokens
from ..kernel import Spec
from . import isa, language, launch
from .index import Affine
from .tile import Tile

LIST = "tools/nki/COVERAGE.md"
_SHORT = {"neuronxcc.nki.language": "nl", "neuronxcc.nki.isa": "nisa", "neuronxcc.nki.typing": "nt",
          "neuronxcc.nki.compiler": "nki.compiler", "neuronxcc.nki.compiler.sbuf": "nki.compiler.sbuf",
          "neuronxcc.nki.compiler.psum": "nki.compiler.psum", "neuronxcc.nki": "nki"}

_ISA = """activation activation_reduce affine_select bn_aggr bn_stats dma_copy dma_transpose dropout
get_nc_version iota local_gather max8 memset nc_find_index8 nc_match_replace8 nc_matmul nc_stream_shuffle
nc_transpose range_select reciprocal scalar_tensor_tensor select_reduce sequence_bounds tensor_copy
tensor_copy_predicated tensor_partition_reduce tensor_reduce tensor_scalar tensor_scalar_reduce tensor_tensor
tensor_tensor_scan engine reduce_cmd dge_mode oob_mode matmul_perf_mode nc_version tensor_engine vector_engine
scalar_engine gpsimd_engine unknown_engine fp32""".split()
_LANGUAGE = """sbuf psum hbm private_hbm shared_hbm fp32 par_dim ds ndarray full zeros ones empty_like
zeros_like rand random_seed shared_constant shared_identity_matrix load load_transpose2d store copy
broadcast_to expand_dims static_cast transpose matmul loop_reduce gather_flattened device_print finfo
affine_range sequential_range static_range nc spmd_dim program_id num_programs program_ndim tile_size mgrid
arange""".split()


class Namespace(types.ModuleType):
    """A module of beta 1 that says clearly when a kernel asks for something that is not there."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        short = _SHORT.get(self.__name__)
        if short is None:
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")
        raise errors.NotImplementedInTrnsim(
            f"{errors.where()}: {short}.{name} is not implemented for beta 1 (neuronxcc.nki); {LIST} lists "
            "what is")


class _Annotation:
    """nt.tensor[N, M] as an annotation; nt.tensor[[N, M], dtype] is an argument without data."""

    def __init__(self, name):
        self.name = name

    def __getitem__(self, item):
        if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], (list, tuple)):
            return Spec(item[1], item[0])
        return self

    def __call__(self, *args, **kwargs):
        return args[0] if args else self

    def __or__(self, other):
        return self

    __ror__ = __or__

    def __repr__(self):
        return f"nt.{self.name}"


def sizeinbytes(dtype):
    return dtypes.of(dtype).size


def no_reorder():
    return core_language.no_reorder()


def multi_buffer(factor=2):
    return None


def _module(name, contents):
    module = Namespace(name)
    module.__dict__.update(contents)
    module.__path__ = []
    module.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
    return module


def modules():
    """All modules of neuronxcc by name."""
    logging.OFF = getattr(logging, "OFF", logging.CRITICAL + 10)  # a level neuronxcc adds
    nl = {name: getattr(language, name) for name in _LANGUAGE}
    for name, dtype in dtypes.TABLE.items():
        nl["bool_" if name == "bool" else name] = dtype
    nl.update({name: tokens.Token(name, "nl") for name in ("average", "prelu", "bypass", "identity",
                                                          "abs_max", "abs_min")})
    nl.update(language.FUNCTIONS)
    nl["tfloat32"] = dtypes.TABLE["tfloat32"]
    root = {"jit": launch.jit, "trace": launch.jit, "tensor": _Annotation("tensor"),
            "NKIObject": core_language.NKIObject, **launch.vendor_calls()}
    nisa = {name: getattr(isa, name) for name in _ISA}
    compiler = {"no_reorder": no_reorder, "multi_buffer": multi_buffer}
    for name in ("enable_stack_allocator", "force_auto_alloc"):
        compiler[name] = launch.identity
    compiler["skip_middle_end_transformations"] = launch.as_written
    memory = {
        "sbuf": {"alloc": language.sbuf_alloc, "mod_alloc": language.sbuf_mod_alloc,
                 "auto_alloc": lambda: language.sbuf},
        "psum": {"alloc": language.psum_alloc, "mod_alloc": language.psum_mod_alloc,
                 "auto_alloc": lambda: language.psum},
    }
    nki = "neuronxcc.nki"
    found = {
        "neuronxcc": _module("neuronxcc", {"__version__": "2.0"}),
        nki: _module(nki, root),
        f"{nki}.language": _module(f"{nki}.language", nl),
        f"{nki}.language.constants": _module(f"{nki}.language.constants", {
            "sizeinbytes": sizeinbytes, "sbuf_min_align": 1}),
        f"{nki}.isa": _module(f"{nki}.isa", nisa),
        f"{nki}.isa.constants": _module(f"{nki}.isa.constants", nisa),
        f"{nki}.typing": _module(f"{nki}.typing", {n: _Annotation(n) for n in (
            "tensor", "mutable_tensor", "scalar", "mutable")}),
        f"{nki}.compiler": _module(f"{nki}.compiler", compiler),
        f"{nki}.compiler.sbuf": _module(f"{nki}.compiler.sbuf", memory["sbuf"]),
        f"{nki}.compiler.psum": _module(f"{nki}.compiler.psum", memory["psum"]),
    }
    # Types that kernels name in annotations.
    backend = f"{nki}.compiler.backends"
    found[backend] = _module(backend, {})
    found[f"{backend}.neuron"] = _module(f"{backend}.neuron", {})
    found[f"{backend}.neuron.indexing"] = _module(f"{backend}.neuron.indexing", {"TileIndex": Affine})
    found[f"{backend}.neuron.tensor"] = _module(f"{backend}.neuron.tensor", {"local_tile": Tile})
    for name, module in found.items():
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(found[parent], child, module)
    return found
