"""Scalar engine: activation and its variants; exponential on the Vector engine of trn3."""
import numpy as np

from .. import alu as math
from .. import errors, machine, numeric, tokens
from .common import (alu, column, indirect_inputs, is_tensor, needs_generation, on_chip, same_shape,
                     scalar)
from .elementwise import accumulate, step

_IDLE = tokens.reduce_cmd.idle


def activation(dst, op, data, bias=None, scale=1.0, reduce_op=None, reduce_res=None,
               reduce_cmd=_IDLE, name=None, **unknown):
    """dst = op(data * scale + bias); reduce_res = the reduction of each row."""
    if unknown:
        errors.unknown_keywords("activation", unknown)
    _activation("activation", dst, op, data, bias, scale, reduce_op, reduce_res, reduce_cmd)


def activation_reduce(dst, op, data, reduce_op=None, reduce_res=None, bias=None, scale=1.0, name=None,
                      **unknown):
    """activation with the reduction always started anew."""
    if unknown:
        errors.unknown_keywords("activation_reduce", unknown)
    _activation("activation", dst, op, data, bias, scale, reduce_op, reduce_res,
                tokens.reduce_cmd.reset_reduce)


def _activation(opcode, dst, op, data, bias, scale, reduce_op, reduce_res, reduce_cmd):
    m = machine.active()
    out = on_chip(opcode, "dst", dst)
    inp = on_chip(opcode, "data", data)
    if data.shape[0] != dst.shape[0] or data._n != dst._n:
        same_shape(opcode, dst, "data", data)
    func = tokens.act(op)
    ins = [inp]
    scale_tensor = is_tensor(scale)
    bias_tensor = bias is not None and is_tensor(bias)
    if scale_tensor:
        ins.append(column(opcode, dst, "scale", scale))
    if bias_tensor:
        ins.append(column(opcode, dst, "bias", bias))
    outs = (out,)
    if reduce_res is not None:
        outs = (out, column(opcode, dst, "reduce_res", reduce_res))
    reduced = "none" if reduce_op is None and reduce_res is None else alu(reduce_op or "add")
    indirect = dst.index is not None or data.index is not None
    if indirect:
        ins.extend(indirect_inputs(dst, data)[0])
    m.emit(opcode, "Scalar", outs, tuple(ins), m.attrs(
        func=func, scale=1 if scale_tensor else scalar(opcode, "scale", scale),
        bias=0 if bias is None or bias_tensor else scalar(opcode, "bias", bias),
        scale_is_tensor=scale_tensor, bias_is_tensor=bias_tensor, reduce_op=reduced,
        has_reduce_result=reduce_res is not None, indirect=indirect))
    if m.numeric:
        with np.errstate(all="ignore"):
            x = numeric.read(data)
            if scale_tensor or scale != 1:
                x = x * numeric.column(scale, 0)
            if bias is not None:
                x = x + numeric.column(bias, 0)
        x = math.activate(func, x)
        numeric.write(dst, x)
        if reduced != "none":
            _reduce(m, reduced, x, reduce_cmd, reduce_res)


def _reduce(m, op, block, command, result):
    name = str(getattr(command, "name", command))
    if name in ("reset_reduce", "reduce", "load_reduce"):
        accumulate(m, "scalar", op, block, command, result)
    elif result is not None:
        # idle with a result: the registers are read out; nothing there yet means this instruction's.
        if name == "idle" and m.reduce_registers.get("scalar") is not None:
            numeric.write(result, m.reduce_registers["scalar"][:block.shape[0]])
        else:
            accumulate(m, "scalar", op, block, "reset_reduce", result)
    if name == "reset":
        m.reduce_registers["scalar"] = None


def activate2(dst, op, data, imm0=0.0, imm1=0.0, op0=None, op1=None, relu_param=0.0, reverse0=False,
              reverse1=False, reduce_op=None, reduce_res=None, reduce_cmd=_IDLE, name=None, **unknown):
    """dst = op((data op0 imm0) op1 imm1)."""
    if unknown:
        errors.unknown_keywords("activate2", unknown)
    m = needs_generation("activate2", 4)
    out = on_chip("activate2", "dst", dst)
    inp = on_chip("activate2", "data", data)
    same_shape("activate2", dst, "data", data)
    func, op0, op1 = tokens.act(op), alu(op0), alu(op1)
    slope_tensor = is_tensor(relu_param)
    if func == "relu" and (slope_tensor or relu_param):
        func = "prelu"
    ins = [inp]
    scale_tensor, bias_tensor = is_tensor(imm0), is_tensor(imm1)
    if scale_tensor:
        ins.append(column("activate2", dst, "imm0", imm0))
    if bias_tensor:
        ins.append(column("activate2", dst, "imm1", imm1))
    if func == "prelu" and slope_tensor:
        ins.append(column("activate2", dst, "relu_param", relu_param))
    outs = (out,)
    if reduce_res is not None:
        outs = (out, column("activate2", dst, "reduce_res", reduce_res))
    reduced = "none" if reduce_op is None and reduce_res is None else alu(reduce_op or "add")
    ins.extend(indirect_inputs(dst, data)[0])
    m.emit("activate2", "Scalar", outs, tuple(ins), m.attrs(
        func=func, op0=op0 if op0 != "none" else "bypass", op1=op1,
        scale=1 if scale_tensor else scalar("activate2", "imm0", imm0),
        bias=0 if bias_tensor else scalar("activate2", "imm1", imm1),
        scale_is_tensor=scale_tensor, bias_is_tensor=bias_tensor, reverse0=bool(reverse0),
        reverse1=bool(reverse1), reduce_op=reduced, has_reduce_result=reduce_res is not None,
        imm0=0 if func != "prelu" or slope_tensor else scalar("activate2", "relu_param", relu_param),
        imm0_is_tensor=func == "prelu" and slope_tensor,
        indirect=dst.index is not None or data.index is not None))
    if m.numeric:
        x = numeric.read(data)
        if op0 not in ("none", "bypass"):
            x = step(op0, x, numeric.column(imm0, 0), reverse0)
        if op1 not in ("none", "bypass"):
            x = step(op1, x, numeric.column(imm1, 0), reverse1)
        x = math.activate(func, x, numeric.column(relu_param, 0))
        numeric.write(dst, x)
        if reduced != "none":
            _reduce(m, reduced, x, reduce_cmd, reduce_res)


def exponential(dst, src, max_value=0.0, reduce_res=None, reduce_cmd=_IDLE, reduce_init=0.0, name=None,
                **unknown):
    """dst = exp(src - max_value); reduce_res = the sum of each row."""
    if unknown:
        errors.unknown_keywords("exponential", unknown)
    m = needs_generation("exponential", 4)
    out = on_chip("exponential", "dst", dst)
    inp = on_chip("exponential", "src", src)
    same_shape("exponential", dst, "src", src)
    if is_tensor(max_value):
        top = column("exponential", dst, "max_value", max_value)
    else:
        # The trace has a tensor there: any column of the source stands in for the constant.
        top = src[:, 0:1].operand() if len(src.shape) == 2 else src[(slice(None),) +
                                                                    (0,) * (len(src.shape) - 1)].operand()
    outs = (out,)
    if reduce_res is not None:
        outs = (out, column("exponential", dst, "reduce_res", reduce_res))
    m.emit("exponential", "Vector", outs, (inp, top), m.attrs(
        has_reduce_result=reduce_res is not None,
        reduce_op="add" if reduce_res is not None else "none"))
    if m.numeric:
        x = math.binary("subtract", numeric.read(src), numeric.column(max_value, 0))
        x = math.activate("exp", x)
        numeric.write(dst, x)
        if reduce_cmd != _IDLE or reduce_res is not None:
            command = "reset_reduce" if reduce_cmd == _IDLE else reduce_cmd
            accumulate(m, "vector", "add", x, command, reduce_res, reduce_init)
