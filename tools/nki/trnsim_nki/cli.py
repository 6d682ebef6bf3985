"""trnsim-nki: traces a kernel of a file, runs a script with every launch timed, lists what there is."""

import argparse
import contextlib
import importlib
import importlib.util
import os
import runpy
import sys
import textwrap
import traceback
import types
import warnings

from . import errors, host_stubs, namespaces, runner
from .cli_values import UsageError, argument
from .trt import TraceError

CHECK_FAILED, INPUT_ERROR, OUR_BUG = 1, 2, 3
PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise UsageError(f"{message}; see {self.prog} --help")


# Where an error comes from.

def _is_ours(frame):
    return frame.filename.startswith((PACKAGE, "<frozen")) or os.sep + "runpy.py" in frame.filename


def _user_line(error):
    """"file:line" of the innermost line of the user's own code, or None."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not _is_ours(f)]
    own = [f for f in frames if not f.filename.startswith((sys.prefix + os.sep, sys.base_prefix + os.sep))]
    frame = (own or frames or [None])[-1]
    return f"{frame.filename}:{frame.lineno}" if frame else None


def _raised_by_us(error):
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and frames[-1].filename.startswith(PACKAGE)


def _is_expected(error):
    return isinstance(error, (UsageError, errors.KernelError, runner.SimulatorError, TraceError,
                              SyntaxError, OSError))


def _report(error):
    """Prints one line for an error; its exit code."""
    text = str(error).strip() or type(error).__name__
    if isinstance(error, SyntaxError):
        text = error.msg
    text = " ".join(text.split())
    code = INPUT_ERROR
    if isinstance(error, runner.SimulatorError):
        code = error.code
    if not _is_expected(error):
        text = f"{type(error).__name__}: {text}"
        if _raised_by_us(error):
            code = OUR_BUG
    place = None if isinstance(error, (UsageError, runner.SimulatorError)) else _user_line(error)
    if place is not None and not text.startswith(place):
        text = f"{place}: {text}"
    print(f"trnsim-nki: {text}", file=sys.stderr)
    if code == OUR_BUG:
        traceback.print_exception(error)
    return code


def _show_warning(message, category, filename, lineno, file=None, line=None):
    text = " ".join(str(message).split())
    if not issubclass(category, errors.KernelWarning):
        text = f"{filename}:{lineno}: {text}"
    print(f"trnsim-nki: warning: {text}", file=file or sys.stderr)


# Kernels and arguments.

_installed = contextlib.ExitStack()
_modules = {}


def install():
    """Makes `nki` and `neuronxcc` importable in this process until it ends, and nowhere else."""
    _modules.update(_installed.enter_context(namespaces.install()))


def load(path, roots=()):
    """The module of a file, imported under the injected namespaces; its name starts below one of roots."""
    if not os.path.isfile(path):
        raise UsageError(f"{path}: no such file")
    if not path.endswith(".py"):
        raise UsageError(f"{path}: not a Python file")
    install()
    path = os.path.abspath(path)
    for root in roots:
        if not os.path.isdir(root):
            raise UsageError(f"--pythonpath {root}: no such folder")
    roots = [os.path.abspath(root) for root in roots]
    sys.path[:0] = roots
    folder, name = os.path.split(path[:-len(".py")])
    # A file of a package is imported as its member, so that its relative imports work.
    while folder not in roots and os.path.exists(os.path.join(folder, "__init__.py")):
        folder, package = os.path.split(folder)
        name = f"{package}.{name}"
    sys.path.insert(0, folder)
    if "." in name:
        module = importlib.import_module(name)
    else:  # not by name: a file may be called as a module that exists
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules.setdefault(name, module)
        spec.loader.exec_module(module)
    return module


def find_kernel(text, roots=()):
    """The kernel that FILE.py:name means, and the module of the file."""
    path, colon, name = text.rpartition(":")
    if not colon or not name.isidentifier():
        raise UsageError(f"'{text}' is not FILE.py:kernel")
    module = load(path, roots)
    kernel = getattr(module, name, None)
    if not callable(kernel):
        near = [key for key, value in vars(module).items()
                if callable(value) and not key.startswith("_")
                and getattr(value, "__module__", None) in (module.__name__, None)]
        hint = f"; there is {', '.join(near)}" if near else ""
        raise UsageError(f"{path}: has no kernel '{name}'{hint}")
    return kernel, module


def arguments_for(kernel, given):
    """Values in the order of the kernel's parameters."""
    name = runner.kernel_name(kernel)
    parameters = runner.signature_of(kernel).parameters
    unknown = [key for key in given if key not in parameters]
    if unknown:
        raise UsageError(f"{name} has no argument '{unknown[0]}'; its arguments are "
                         f"{', '.join(parameters)}")
    missing = [key for key, p in parameters.items()
               if p.default is p.empty and key not in given
               and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if missing:
        raise UsageError(f"{name} needs --arg {missing[0]}=..." +
                         (f" and {', '.join(missing[1:])}" if missing[1:] else ""))
    return given


# Commands.

def trace(options):
    """Traces one kernel into a file."""
    kernel, module = find_kernel(options.kernel, options.pythonpath)
    given = dict(argument(text, options.mode == "numeric", module) for text in options.arg)
    given = arguments_for(kernel, given)
    if options.grid:
        kernel = kernel[options.grid[0] if len(options.grid) == 1 else tuple(options.grid)]
    traced = runner.trace_file(kernel, (), options.output, options.mode, options.target, options.lnc,
                               given, options.trips)
    for text in traced.uninitialised:
        print(f"trnsim-nki: warning: {text}", file=sys.stderr)
    print(f"{options.output}: {traced.instructions} instructions")
    return 0


def _launch_printer():
    """Prints to what standard output is now: test frameworks that capture it later do not hide it."""
    out = os.fdopen(os.dup(1), "w")

    def show(result, arguments):
        sys.stdout.flush()
        shapes = ", ".join(runner.describe_argument(value) for value in arguments)
        print(f"{result.kernel}({shapes})  {result.instructions} instructions  "
              f"{result.latency_us:.2f} us  {result.bound}", file=out, flush=True)

    return show


def run(options):
    """Runs a script as `python SCRIPT` would, with every launch timed."""
    if not options.module and not os.path.isfile(options.script):
        raise UsageError(f"{options.script}: no such file")
    runner.target_of(options.system)  # a missing program or system is reported before anything runs
    runner.session.system = options.system
    runner.session.mode = options.mode
    runner.session.options = tuple(options.option)
    runner.session.report = _launch_printer()
    install()
    if options.module:
        found = importlib.util.find_spec(options.script)
        if found is None or isinstance(found.loader, host_stubs.Loader):
            raise UsageError(f"module {options.script} is not installed; "
                             f"{sys.executable} -m pip install {options.script}")
    sys.argv = [options.script, *options.arguments]
    try:
        if options.module:
            sys.path.insert(0, os.getcwd())
            runpy.run_module(options.script, run_name="__main__", alter_sys=True)
        else:
            sys.path.insert(0, os.path.dirname(os.path.abspath(options.script)))
            runpy.run_path(options.script, run_name="__main__")
    except Exception as error:
        if _is_expected(error) or _raised_by_us(error):
            raise
        return _script_failed(error)
    return 0


def _script_failed(error):
    """What Python itself would print, without our frames."""
    shown = traceback.TracebackException.from_exception(error)
    shown.stack = traceback.StackSummary.from_list([f for f in shown.stack if not _is_ours(f)])
    print("".join(shown.format()), end="", file=sys.stderr)
    return CHECK_FAILED


def list_api(options):
    """Prints what the injected namespaces hold."""
    install()
    for module in ("nki", "nki.isa", "nki.language", "nki.collectives", "neuronxcc.nki",
                   "neuronxcc.nki.isa", "neuronxcc.nki.language"):
        if module not in _modules:
            continue
        listed = sorted(name for name, value in vars(_modules[module]).items()
                        if not name.startswith("_") and not isinstance(value, types.ModuleType))
        print(f"{module}: {len(listed)} names")
        if options.long:
            print("\n".join(f"  {name}" for name in listed))
        else:
            print(textwrap.fill(" ".join(listed), 100, initial_indent="  ", subsequent_indent="  "))
    return 0


def _parser():
    parser = _Parser(
        prog="trnsim-nki", description="Runs NKI kernels on the trnsim simulator, without the Neuron SDK.",
        epilog="Exit codes: 0 fine, 1 the script failed, 2 the input is wrong, 3 a bug of ours.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    one = commands.add_parser(
        "trace", help="record one kernel as a trace file",
        description="Records one kernel as a trace file for 'trnsim run'.",
        epilog='Example: trnsim-nki trace attention.py:fwd --arg q=bf16[128,4096] --arg causal=True '
               '-o fwd.trt')
    one.add_argument("kernel", metavar="FILE.py:KERNEL")
    one.add_argument("--arg", action="append", default=[], metavar="NAME=VALUE",
                     help="an argument: bf16[128,512], a Python literal, a dtype, text, @FILE.npy, "
                          "@MODULE:NAME or @MODULE:CLASS(a=1), or a nest of these; without MODULE "
                          "a name of the kernel's own file (repeatable)")
    one.add_argument("--pythonpath", action="append", default=[], metavar="DIR",
                     help="folder that imports start from; default the folder above the file's "
                          "packages (repeatable)")
    one.add_argument("--lnc", type=int, choices=(1, 2), default=1,
                     help="physical cores of the logical core, default 1")
    one.add_argument("--grid", type=lambda text: [int(n) for n in text.split(",")], metavar="N[,N...]",
                     help="launch grid, as in kernel[N]")
    one.add_argument("--trips", type=lambda text: [int(n) for n in text.split(",")],
                     metavar="N[,N...]",
                     help="trip counts of the loops that depend on data, in order of appearance")
    one.add_argument("--target", choices=("trn1", "trn2", "trn3"), default="trn2",
                     help="default trn2")
    one.add_argument("--mode", choices=("symbolic", "numeric"), default="symbolic",
                     help="numeric computes values, for kernels whose course depends on data; "
                          "default symbolic")
    one.add_argument("-o", "--output", required=True, metavar="FILE.trt")
    one.set_defaults(command=trace)

    script = commands.add_parser(
        "run", help="run a script, every kernel launch timed",
        description="Runs a Python script; every kernel launch is simulated and gives one line.",
        epilog="Example: trnsim-nki run test_attention.py --system trn2-core")
    script.add_argument("--system", default=runner.DEFAULT_SYSTEM,
                        help="system name or YAML file, default trn2-core")
    script.add_argument("--mode", choices=("symbolic", "numeric"), default="numeric",
                        help="symbolic is fast but gives zeros as results; default numeric")
    script.add_argument("--option", action="append", default=[], metavar="--NAME=VALUE",
                        help="an option of 'trnsim run', e.g. --option=--order=window:8 (repeatable)")
    script.add_argument("-m", dest="module", action="store_true",
                        help="SCRIPT is a module, as with 'python -m', e.g. run -m pytest tests")
    script.add_argument("script", metavar="SCRIPT.py")
    script.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...",
                        help="arguments of the script")
    script.set_defaults(command=run)

    names = commands.add_parser("list", help="list the implemented API",
                                description="Lists the implemented API.")
    names.add_argument("-l", "--long", action="store_true", help="one name a line")
    names.set_defaults(command=list_api)
    return parser


def main(arguments=None):
    """The program; its exit code."""
    warnings.showwarning = _show_warning
    try:
        options = _parser().parse_args(arguments)
        return options.command(options)
    except SystemExit as stop:  # of the user's script
        if stop.code is None or isinstance(stop.code, int):
            return stop.code or 0
        print(stop.code, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # every other error becomes one line and an exit code
        return _report(error)


if __name__ == "__main__":
    sys.exit(main())
