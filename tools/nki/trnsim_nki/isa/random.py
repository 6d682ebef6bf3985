"""Random numbers: our own generator stands in, the hardware's bit stream is not public."""
import numpy as np

from .. import errors, machine, numeric, tokens
from .common import column, engine_of, is_tensor, needs_generation, on_chip, same_shape, scalar


def generator(m):
    if m.random is None:
        m.random = np.random.default_rng(0)
    return m.random


def rng(dst, engine=tokens.engine.vector, name=None, **unknown):
    """Random bits."""
    if unknown:
        errors.unknown_keywords("rng", unknown)
    m = machine.active()
    out = on_chip("rng", "dst", dst)
    m.emit("rng", engine_of(engine, "rng"), (out,), (), m.attrs())
    if m.numeric:
        bits = generator(m).integers(0, 1 << (8 * dst.dtype.size), dst.shape, np.uint64)
        numeric.store(dst, bits.astype(dst.dtype.bits).view(dst.dtype.numpy))


def rand2(dst, min=0.0, max=1.0, name=None, **unknown):
    """Uniform numbers between two bounds."""
    if unknown:
        errors.unknown_keywords("rand2", unknown)
    m = needs_generation("rand2", 4)
    out = on_chip("rand2", "dst", dst)
    ins = tuple(column("rand2", dst, "bound", v) for v in (min, max) if is_tensor(v))
    m.emit("rand2", "Vector", (out,), ins, m.attrs(
        imm0=0 if is_tensor(min) else scalar("rand2", "min", min),
        imm1=0 if is_tensor(max) else scalar("rand2", "max", max)))
    if m.numeric:
        low, high = numeric.column(min, 0), numeric.column(max, 0)
        uniform = generator(m).random((dst.shape[0], dst.n), np.float32)
        numeric.write(dst, low + uniform * (high - low))


def dropout(dst, data, prob, name=None, **unknown):
    """data with elements set to 0 by chance."""
    if unknown:
        errors.unknown_keywords("dropout", unknown)
    m = machine.active()
    out = on_chip("dropout", "dst", dst)
    inp = on_chip("dropout", "data", data)
    same_shape("dropout", dst, "data", data)
    chance = (column("dropout", dst, "prob", prob),) if is_tensor(prob) else ()
    m.emit("dropout", "Vector", (out,), (inp, *chance), m.attrs(
        imm0=0 if chance else scalar("dropout", "prob", prob), imm0_is_tensor=bool(chance)))
    if m.numeric:
        block = numeric.read(data)
        drop = generator(m).random(block.shape, np.float32) < numeric.column(prob, 0)
        numeric.write(dst, np.where(drop, np.float32(0), block))


def set_rng_seed(src_seeds, name=None, **unknown):
    if unknown:
        errors.unknown_keywords("set_rng_seed", unknown)
    m = machine.active()
    m.emit("set_rng_seed", "Vector", (), (on_chip("set_rng_seed", "src_seeds", src_seeds),), m.attrs())
    if m.numeric:
        m.random = np.random.default_rng(int(numeric.read_bits(src_seeds).astype(np.int64)[0, 0]) & 0xFFFFFFFF)


def rand_set_state(src_seeds, engine=tokens.engine.gpsimd, name=None, **unknown):
    if unknown:
        errors.unknown_keywords("rand_set_state", unknown)
    m = machine.active()
    inp = on_chip("rand_set_state", "src_seeds", src_seeds)
    m.emit("rand_set_state", engine_of(engine, "rand_set_state"), (), (inp,), m.attrs())
    if m.numeric:
        m.random = np.random.default_rng(np.abs(numeric.read_bits(src_seeds).astype(np.int64)).reshape(-1))


def rand_get_state(dst, engine=tokens.engine.gpsimd, name=None, **unknown):
    if unknown:
        errors.unknown_keywords("rand_get_state", unknown)
    m = machine.active()
    out = on_chip("rand_get_state", "dst", dst)
    m.emit("rand_get_state", engine_of(engine, "rand_get_state"), (out,), (), m.attrs())
    if m.numeric:
        numeric.write(dst, generator(m).integers(0, 1 << 31, dst.shape))
