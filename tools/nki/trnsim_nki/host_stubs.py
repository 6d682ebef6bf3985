"""Inert stand-ins for host libraries that kernel files import and kernels do not run."""
import importlib.abc
import types

NAMES = ("torch", "torch_xla", "torch_neuronx", "jax", "jaxlib", "transformers", "loguru",
         "neuronx_distributed", "scipy", "libneuronxla", "nkipy", "pytest", "einops", "tqdm", "pandas",
         "matplotlib", "tabulate", "autograd")


def stands_in_for(fullname):
    root = fullname.partition(".")[0]
    return root in NAMES


class Inert:
    """Takes any attribute, call, index or operator and stays what it is."""

    def __init__(self, name="stub"):
        self.__dict__["_name"] = name

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return Inert(f"{self._name}.{name}")

    def __call__(self, *args, **kwargs):
        # A decorator gives back what it decorates.
        if len(args) == 1 and not kwargs and isinstance(args[0], (types.FunctionType, type)):
            return args[0]
        return self

    def __getitem__(self, key):
        return self

    def __setattr__(self, name, value):
        self.__dict__[name] = value

    def __iter__(self):
        return iter(())

    def __or__(self, other):
        return self

    def __ror__(self, other):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return False

    def __bool__(self):
        return False

    def __repr__(self):
        return f"<{self._name}: not installed>"

    # Libraries that are installed ask whether an array is one of a library that is not.
    def __instancecheck__(self, instance):
        return False

    def __subclasscheck__(self, subclass):
        return False

    def __mro_entries__(self, bases):
        return (object,)


class Module(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return Inert(f"{self.__name__}.{name}")


class Loader(importlib.abc.Loader):
    def create_module(self, spec):
        module = Module(spec.name)
        module.__path__ = []
        return module

    def exec_module(self, module):
        pass


