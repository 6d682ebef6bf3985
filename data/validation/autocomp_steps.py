#!/usr/bin/env python3
"""The steps of autocomp's searches as files of their own, since a *_trace.py holds all steps as texts.

autocomp_steps.py CHECKOUT FOLDER writes FOLDER/4_attention_step3.py and so on: the text of the step behind the imports
that autocomp's test programs put before it.
"""
import ast
import pathlib
import sys

IMPORTS = """import math

import numpy as np
import neuronxcc.nki as nki
import neuronxcc.nki.isa as nisa
import neuronxcc.nki.language as nl
import neuronxcc.nki.typing as nt
from neuronxcc.nki.language import par_dim

"""


def codes(trace):
    """From the first step to the last."""
    found = []
    step = ast.parse(trace.read_text(encoding="utf-8"), mode="eval").body
    while isinstance(step, ast.Call):
        fields = {keyword.arg: keyword.value for keyword in step.keywords}
        found.append(ast.literal_eval(fields["code"]))
        step = fields["parent"]
    return found[::-1]


def main(checkout, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for trace in sorted(pathlib.Path(checkout, "examples", "trn-tutorial").glob("*_trace.py")):
        name = trace.stem.removesuffix("_trace")
        for number, code in enumerate(codes(trace), 1):
            (folder / f"{name}_step{number}.py").write_text(IMPORTS + code + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: autocomp_steps.py CHECKOUT FOLDER")
    main(*sys.argv[1:])
