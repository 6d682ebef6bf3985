"""nki.language: tensors, loops and functions that compose instructions."""
from .. import dtypes as _dtypes
from .. import tokens as _tokens
from ..dtypes import DType
from ..tensor import Tensor as NkiTensor
from ..tokens import MemoryRegion
from . import math as _math
from .control import (NKIObject, affine_range, ds, dynamic_range, fori_loop, is_hbm, is_on_chip, is_psum,
                      is_sbuf, no_reorder, num_programs, par_dim, program_id, program_ndim,
                      sequential_range, static_range, tile_size, while_loop)
from .create import (empty_like, full, ndarray, ones, rand, random_seed, shared_constant,
                     shared_identity_matrix, zeros, zeros_like)
from .memory import (broadcast_to, device_print, expand_dims, gather_flattened, load, load_transpose2d,
                     matmul, store, transpose)

for _name, _dtype in _dtypes.TABLE.items():
    globals()["bool_" if _name == "bool" else _name] = _dtype
sbuf, psum, hbm = MemoryRegion.sbuf, MemoryRegion.psum, MemoryRegion.hbm
private_hbm, shared_hbm = MemoryRegion.private_hbm, MemoryRegion.shared_hbm
# abs, max, all ... of this namespace; nothing below uses the builtins of these names.
globals().update(_math.FUNCTIONS)
globals().update(_math.TOKENS)
tensor = NkiTensor
fp32 = _dtypes.TABLE["float32"]
range = sequential_range  # nl.range
bool = _dtypes.TABLE["bool"]  # nl.bool
dtype = _dtypes
del _name, _dtype, _tokens
