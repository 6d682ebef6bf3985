"""Values of --arg: arrays by type and shape, Python literals, dtypes, objects of modules, and nests of these."""
import ast
import importlib
import re

import numpy as np

from . import dtypes
from .kernel import Built, Spec


class UsageError(Exception):
    """The command line or an input file is wrong."""


# Quoted texts are matched first so that an @ inside them stays.
_REFERENCE = re.compile(r"""'[^']*'|"[^"]*"|@([A-Za-z_][\w.]*)?:([A-Za-z_][\w.]*)""")
_STRUCTURED = re.compile(r"[(\[{@]|[A-Za-z]\w*\[")


def array(name, dtype, shape, numeric):
    """An input: numeric floats are random, the same ones every time; all else is zeros."""
    if not numeric:
        return Spec(dtype, shape)
    if not dtype.is_float or dtype.is_packed:
        return np.zeros(shape, dtype.numpy)
    random = np.random.default_rng(list(name.encode()))
    return random.standard_normal(shape, np.float32).astype(dtype.numpy)


def _resolve(name, path, own):
    """The object that @name:path means; without a name one of the kernel's own module."""
    module = own
    if name:
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            raise UsageError(f"{error}; the kernel's own is {own.__name__}") from None
    found = module
    for part in path.split("."):
        if not hasattr(found, part):
            raise UsageError(f"{module.__name__} has no '{path}'")
        found = getattr(found, part)
    return found


class _Evaluator:
    """Evaluates one value; arrays inside it get names of their own, so that their data differ."""

    def __init__(self, name, numeric, module):
        self.name, self.numeric, self.module = name, numeric, module
        self.references = {}
        self.arrays = 0

    def parse(self, text):
        """The expression of a text, with a name in place of every @module:path."""

        def name_of(match):
            if not match[2]:
                return match[0]
            key = f"__reference{len(self.references)}"
            self.references[key] = _resolve(match[1], match[2], self.module)
            return key

        return ast.parse(_REFERENCE.sub(name_of, text).strip(), mode="eval").body

    def value(self, node):
        if isinstance(node, (ast.Tuple, ast.List)):
            items = [self.value(item) for item in node.elts]
            return tuple(items) if isinstance(node, ast.Tuple) else items
        if isinstance(node, ast.Dict) and None not in node.keys:
            return {self.value(key): self.value(item) for key, item in zip(node.keys, node.values)}
        if isinstance(node, ast.Subscript):
            return self.array(node)
        if isinstance(node, ast.Call):
            return self.call(node)
        if isinstance(node, (ast.Name, ast.Attribute)):
            return self.named(ast.unparse(node))
        try:
            return ast.literal_eval(node)
        except ValueError:
            raise UsageError(f"'{ast.unparse(node)}' is no value") from None

    def named(self, text):
        if text in self.references:
            return self.references[text]
        dtype = dtypes.of(text, None)
        if dtype is None:
            raise UsageError(f"'{text}' is no dtype; put quotes around a text in a nest")
        return dtype

    def array(self, node):
        text = ast.unparse(node.value)
        dtype = dtypes.of(text, None)
        if dtype is None:
            raise UsageError(f"dtype '{text}' is unknown")
        shape = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        shape = tuple(getattr(extent, "value", None) for extent in shape)
        if not all(type(extent) is int for extent in shape):
            raise UsageError(f"'{ast.unparse(node)}': a shape is of integers")
        if 0 in shape:
            raise UsageError("a dimension of 0")
        name = self.name if self.arrays == 0 else f"{self.name}.{self.arrays}"
        self.arrays += 1
        return array(name, dtype, shape, self.numeric)

    def call(self, node):
        text = ast.unparse(node.func)
        if text not in self.references or not callable(self.references[text]):
            raise UsageError(f"'{text}' cannot be called; only @module:name can")
        if any(word.arg is None for word in node.keywords):
            raise UsageError("'**' is no argument")
        before = self.arrays
        args = [self.value(item) for item in node.args]
        words = {word.arg: self.value(word.value) for word in node.keywords}
        if self.arrays > before:  # its arrays are tensors only inside the kernel
            return Built(self.references[text], args, words)
        try:
            return self.references[text](*args, **words)
        except Exception as error:  # whatever the class finds wrong with what the user wrote
            raise UsageError(f"{type(error).__name__}: {error}") from None


def _value(name, text, numeric, module):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        pass
    if text.startswith("@") and not _REFERENCE.match(text):
        return np.load(text[1:])
    evaluator = _Evaluator(name, numeric, module)
    try:
        node = evaluator.parse(text)
    except SyntaxError as error:
        if _STRUCTURED.match(text):
            raise UsageError(error.msg) from None
        return text
    if isinstance(node, ast.Name) and dtypes.of(node.id, None) is None and not evaluator.references:
        return text
    if isinstance(node, (ast.Name, ast.Attribute, ast.Tuple, ast.List, ast.Dict, ast.Subscript, ast.Call)):
        return evaluator.value(node)
    return text


def argument(text, numeric, module):
    """NAME=VALUE as a name and a value; a value that is nothing else is the text itself.

    @module:name is an object of a module, @:name one of the kernel's own module, @FILE.npy an array.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise UsageError(f"--arg {text}: must be NAME=VALUE, such as q=bf16[128,512] or causal=True")
    try:
        return name, _value(name, value, numeric, module)
    except (UsageError, OSError, ValueError) as error:
        raise UsageError(f"--arg {text}: {error}") from None
