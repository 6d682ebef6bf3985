"""nki.isa: one function per instruction."""
from ..tokens import (dge_mode, dma_engine, engine, matmul_perf_mode, nc_version, oob_mode, reduce_cmd)
from ..errors import KernelError as NkiValidationError
from .activation import activate2, activation, activation_reduce, exponential
from .copy import memset, nc_stream_shuffle, tensor_copy, tensor_copy_predicated
from .dma import dma_compute, dma_copy, dma_transpose
from .elementwise import (reciprocal, scalar_tensor_tensor, tensor_scalar, tensor_scalar_cumulative,
                          tensor_scalar_reduce, tensor_tensor, tensor_tensor_scan)
from .gather import local_gather, nc_n_gather
from .matmul import nc_matmul, nc_matmul_mx, nc_transpose
from .mx import quantize_mx
from .pattern import affine_select, iota, range_select, select_reduce
from .random import (dropout, rand2, rand_get_state, rand_set_state, rng, set_rng_seed)
from .reduce import bn_aggr, bn_stats, tensor_partition_reduce, tensor_reduce
from .registers import VirtualRegister, register_alloc, register_load, register_move, register_store
from .search import (max8, nc_find_index8, nc_match_replace8, nonzero_with_count, sequence_bounds, topk)
from .sync import core_barrier, sendrecv

tensor_engine = engine.tensor
vector_engine = engine.vector
scalar_engine = engine.scalar
gpsimd_engine = engine.gpsimd
unknown_engine = engine.unknown


class NkiInstruction:
    """What scheduling hints would be attached to; instructions here return nothing to attach them to."""


def get_nc_version():
    from .. import machine
    m = machine.current
    return {2: nc_version.gen2, 3: nc_version.gen3, 4: nc_version.gen4}[m.generation if m else 3]


def get_nc_sub_version():
    return 0
