"""Micro-scaled formats: quantize_mx, and the product of nc_matmul_mx."""
import ml_dtypes
import numpy as np

from .. import errors, numeric
from .common import needs_generation, on_chip, sbuf_only, shape_text

_BLOCK = 8       # partitions that share a scale, with 4 packed values each
_QUADRANT = 32   # scales of a quadrant are in its first 4 partitions
_ELEMENT = {"float8_e4m3fn_x4": ("float8_e4m3fn", 8), "float8_e5m2_x4": ("float8_e5m2", 15),
            "float4_e2m1fn_x4": ("float4_e2m1fn", 2)}


def unpack(t):
    """[P, N] packed to [P, N, 4] values."""
    name = _ELEMENT[str(t.dtype)][0]
    block = np.ascontiguousarray(numeric.read_bits(t))
    if name == "float4_e2m1fn":
        raw = block.view(np.uint16)
        nibbles = np.stack([(raw >> (4 * i)) & 15 for i in range(4)], axis=-1).astype(np.uint8)
        return nibbles.view(ml_dtypes.float4_e2m1fn).astype(np.float32)
    raw = block.view(np.uint8).reshape(block.shape + (4,))
    return raw.view(name).astype(np.float32)


def pack(values, dtype):
    """[P, N, 4] fp32 to [P, N] packed, saturating."""
    name = _ELEMENT[str(dtype)][0]
    top = {"float8_e4m3fn": 448.0, "float8_e5m2": 57344.0, "float4_e2m1fn": 6.0}[name]
    values = np.clip(values, -top, top)
    if name == "float4_e2m1fn":
        raw = values.astype(ml_dtypes.float4_e2m1fn).view(np.uint8).astype(np.uint16)
        return (raw[..., 0] | raw[..., 1] << 4 | raw[..., 2] << 8 | raw[..., 3] << 12).astype(np.uint16)
    raw = np.ascontiguousarray(values.astype(name).view(np.uint8))
    return raw.view(np.uint32)[..., 0]


def scaled(data, scale):
    """[4 P, N]: packed values are the inner part of the contraction."""
    values = unpack(data)
    partitions = values.shape[0]
    # Only the rows that hold scales are read; those between may never have been written.
    raw = np.empty((partitions // _BLOCK, values.shape[1]), np.uint8)
    held = scale.shape[0]
    for quadrant in range(0, partitions, _QUADRANT):
        first = quadrant // _BLOCK
        number = min(_QUADRANT, partitions - quadrant) // _BLOCK
        start = quadrant if quadrant + number <= held else first
        part = scale[start:start + number]
        raw[first:first + number] = numeric.bits(part).reshape(number, -1).view(np.uint8)
    rows = np.arange(partitions) // _BLOCK
    factor = np.exp2(raw[rows].astype(np.float32) - 127)
    values = values * factor[:, :, None]
    return values.transpose(0, 2, 1).reshape(4 * partitions, -1)


def multiply(dst, stationary, moving, stationary_scale, moving_scale, accumulate):
    a, b = scaled(stationary, stationary_scale), scaled(moving, moving_scale)
    product = a.T @ b
    if accumulate:
        product = product + numeric.read(dst)
    numeric.write(dst, product)


def quantize_mx(dst, src, dst_scale, name=None, **unknown):
    """dst = src in packed values, dst_scale = one exponent per 8 partitions x 4 values."""
    if unknown:
        errors.unknown_keywords("quantize_mx", unknown)
    m = needs_generation("quantize_mx", 4)
    outs = (on_chip("quantize_mx", "dst", dst), on_chip("quantize_mx", "dst_scale", dst_scale))
    inp = on_chip("quantize_mx", "src", src)
    sbuf_only("quantize_mx", dst, src, dst_scale)
    if not dst.dtype.is_packed:
        errors.fail(f"quantize_mx: dst '{dst.name}' is {dst.dtype}, must be a packed x4 type")
    if src.shape[0] % _QUADRANT or src.n != 4 * dst.n or src.shape[0] != dst.shape[0]:
        errors.fail(f"quantize_mx: src is {shape_text(src)}, dst {shape_text(dst)}: dst takes a quarter of "
                    "the elements, partitions are a multiple of 32")
    m.emit("quantize_mx", "Vector", outs, (inp,), m.attrs())
    if m.numeric:
        block = numeric.read(src)
        partitions = block.shape[0]
        values = block.reshape(partitions // _BLOCK, _BLOCK, -1, 4)
        largest = np.abs(values).max(axis=(1, 3))
        top = _ELEMENT[str(dst.dtype)][1]
        with np.errstate(divide="ignore"):
            exponent = np.where(largest > 0, np.floor(np.log2(largest)) - top + 1, -127)
        exponent = np.clip(np.nan_to_num(exponent, nan=128, posinf=128), -127, 128)
        factor = np.exp2(-exponent)[:, None, :, None]
        numeric.store(dst, pack((values * factor).reshape(partitions, -1, 4).astype(np.float32), dst.dtype))
        codes = (exponent + 127).astype(np.uint8)
        for p in range(0, partitions, _QUADRANT):
            first = p // _BLOCK
            numeric.write(dst_scale[p:p + 4], codes[first:first + 4])
