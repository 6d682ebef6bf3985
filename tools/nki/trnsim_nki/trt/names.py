"""Names and numbers of the trace format: enums, element types, attribute fields.

The order of every tuple is that of the enum in include/trnsim/trace/opcode.h or
include/trnsim/base/dtype.h; tests/test_trt_names.py compares them with the C++ tables.
"""

import difflib

OPCODES = (
    "nc_matmul", "nc_matmul_mx", "nc_transpose", "activation", "activate2", "tensor_copy",
    "tensor_copy_dynamic", "tensor_copy_predicated", "memset", "tensor_tensor", "tensor_scalar",
    "tensor_scalar_reduce", "tensor_scalar_cumulative", "scalar_tensor_tensor",
    "tensor_tensor_scan", "tensor_reduce", "tensor_partition_reduce", "bn_stats", "bn_aggr",
    "reciprocal", "exponential", "dropout", "nc_stream_shuffle", "range_select", "select_reduce",
    "max8", "nc_find_index8", "nc_match_replace8", "quantize_mx", "rng", "rand2", "set_rng_seed",
    "rand_set_state", "rand_get_state", "iota", "affine_select", "local_gather", "nc_n_gather",
    "nonzero_with_count", "topk", "sequence_bounds", "dma_copy", "dma_transpose", "dma_compute",
    "sendrecv", "core_barrier", "register_move", "register_load", "register_store", "loop_begin",
    "loop_iteration", "loop_end", "fence", "event_semaphore", "act_table_load",
    "collective",
)
ENGINES = ("Tensor", "Vector", "Scalar", "GpSimd", "Sync", "unassigned")
REGIONS = ("hbm", "sbuf", "psum")
ROLES = ("temporary", "input", "output", "constant")
ALU_OPS = (
    "none", "add", "subtract", "multiply", "divide", "max", "min", "abs_max", "abs_min", "power",
    "rsqrt", "abs", "bypass", "equal", "not_equal", "greater", "greater_equal", "less",
    "less_equal", "logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or",
    "bitwise_xor", "shift_left", "shift_right", "mod", "fmod", "logical_not", "invert", "average",
    "square", "relu", "reciprocal", "sqrt", "negative", "sign", "floor", "ceil", "trunc", "exp",
)
ACT_FUNCS = (
    "copy", "identity", "square", "relu", "exp", "log", "sqrt", "rsqrt", "reciprocal", "sigmoid",
    "tanh", "gelu", "gelu_approx_tanh", "silu", "softplus", "erf", "sin", "abs", "sign",
    "gelu_apprx_sigmoid", "gelu_apprx_sigmoid_dx", "gelu_dx", "silu_dx", "mish", "erf_dx", "cos",
    "tan", "arctan", "floor", "ceil", "trunc", "negative", "logical_not", "prelu",
)
COLLECTIVE_KINDS = (
    "none", "all_reduce", "all_gather", "reduce_scatter", "all_to_all", "permute", "permute_implicit",
    "permute_implicit_reduce",
)
DGE_REQUESTS = ("unknown", "none", "software", "hardware")
DTYPES = (
    "float32", "tfloat32", "bfloat16", "float16", "float8_e3m4", "float8_e4m3", "float8_e4m3fn",
    "float8_e5m2", "float8_e4m3fn_x4", "float8_e5m2_x4", "float4_e2m1fn_x4", "int32", "uint32",
    "int16", "uint16", "int8", "uint8", "bool",
)
SHORT_DTYPES = {
    "fp32": "float32", "f32": "float32", "tf32": "tfloat32", "bf16": "bfloat16",
    "fp16": "float16", "f16": "float16", "fp8": "float8_e4m3", "fp8_e4m3": "float8_e4m3",
    "fp8_e5m2": "float8_e5m2", "fp8_e3m4": "float8_e3m4",
}

# Attribute fields by number - 1: name, kind, default. A kind is a tuple of names, or one of the types.
ATTRIBUTES = (
    ("op0", ALU_OPS, "none"), ("op1", ALU_OPS, "none"), ("reduce_op", ALU_OPS, "none"),
    ("compare", ALU_OPS, "none"), ("compare1", ALU_OPS, "none"), ("func", ACT_FUNCS, "copy"),
    ("dge", DGE_REQUESTS, "unknown"), ("accumulate", bool, False), ("is_transpose", bool, False),
    ("double_row", bool, False), ("onezero", bool, False), ("reverse0", bool, False),
    ("reverse1", bool, False), ("negate", bool, False), ("imm0_is_tensor", bool, False),
    ("imm1_is_tensor", bool, False), ("scale_is_tensor", bool, False),
    ("bias_is_tensor", bool, False), ("has_reduce_result", bool, False), ("indirect", bool, False),
    ("engine_pinned", bool, False), ("reduce_dims", "byte", 1), ("priority", "byte", 0),
    ("tile_row", "byte", 0), ("tile_column", "byte", 0), ("tile_rows", "byte", 0),
    ("tile_columns", "byte", 0), ("imm0", float, 0.0), ("imm1", float, 0.0), ("scale", float, 1.0),
    ("bias", float, 0.0), ("affine_base", int, 0), ("affine_channel", int, 0),
    ("affine_pattern", "pattern", None), ("collective", COLLECTIVE_KINDS, "none"),
    ("replica_groups", "text", None), ("bytes_per_rank", int, 0),
)
FIELD_NUMBERS = {name: number for number, (name, _, _) in enumerate(ATTRIBUTES, 1)}


class TraceError(ValueError):
    """A trace that cannot be written or read; the text says what is wrong."""


def number_of(table, value, what):
    """The number of a name in one of the tables above; an error names the nearest one."""
    text = str(value)
    try:
        return table.index(text)
    except ValueError:
        near = difflib.get_close_matches(text, table, 1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise TraceError(f"{what} '{text}' is unknown{hint}") from None


def dtype_name(value):
    """The full name of an element type given by name, short form, NumPy dtype or token."""
    text = value.__name__ if isinstance(value, type) else str(getattr(value, "name", value))
    text = SHORT_DTYPES.get(text, text)
    if text not in DTYPES:
        number_of(DTYPES + tuple(SHORT_DTYPES), text, "dtype")
    return text
