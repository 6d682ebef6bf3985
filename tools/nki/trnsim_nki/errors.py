"""Errors and warnings that name the kernel's file and line."""
import os
import sys
import warnings

PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


class KernelError(Exception):
    """Something the kernel asks for that the hardware or this front end cannot do."""


class NotImplementedInTrnsim(KernelError):
    """A symbol of the API that this front end does not have."""


class KernelWarning(UserWarning):
    """Something accepted that may not mean what the kernel's author thinks."""


def kernel_frame():
    """The innermost frame outside this package: the line of the kernel being executed."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return frame


def where():
    frame = kernel_frame()
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else "?"


def fail(what):
    raise KernelError(f"{where()}: {what}")


_warned = set()


def warn(what, key=None):
    """One line, once per process for each key (default: the text)."""
    key = key or what
    if key not in _warned:
        _warned.add(key)
        warnings.warn_explicit(f"{where()}: {what}", KernelWarning, PACKAGE, 0)


def unknown_keywords(function, keywords):
    for keyword in keywords:
        warn(f"{function}() has no keyword '{keyword}' in NKI 0.2 to 0.6, it is ignored",
             key=(function, keyword))
