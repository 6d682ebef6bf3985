"""Tensor views: shape, strides and offset into a storage, and the operand records made of them."""
import operator

from . import errors
from .views import ViewMethods

_index = operator.index


def row_major(shape):
    strides = []
    step = 1
    for extent in reversed(shape):
        strides.append(step)
        step *= extent
    return tuple(reversed(strides))


class Layout:
    """What views of one element type, shape and strides have in common: pattern and parts."""

    __slots__ = ("row", "pattern", "n", "parts")

    def __init__(self, row):
        self.row = row       # elements of a partition; HBM: 0
        self.pattern = None  # its id in the trace
        self.n = None        # elements of a partition the pattern walks
        self.parts = {}      # index -> (layout, shape, strides, offset) of the view it gives


_MAX_PARTS = 1024


def keep(parts, numbers, part):
    """Remembers a part; a loop over a tensor of any length leaves only so many."""
    if len(parts) >= _MAX_PARTS:
        parts.clear()
    parts[numbers] = part


class Tensor(ViewMethods):
    """A view. On chip, dim 0 is the partition: its stride is the length of a partition in elements,
    so an offset names partition and element at once and .ap() patterns apply unchanged."""

    __slots__ = ("storage", "region", "dtype", "shape", "strides", "offset", "index", "_operand", "_n",
                 "_layout", "_parts",
                 "__dict__")

    def __init__(self, storage, dtype, shape, strides, offset=0, index=None):
        self.storage = storage
        self.region = storage.region
        self.dtype = dtype
        self.shape = shape
        self.strides = strides
        self.offset = offset
        self.index = index
        self._operand = None
        self._n = None
        self._layout = self._parts = None

    # --- what kernels ask -------------------------------------------------------------------

    @property
    def name(self):
        return self.storage.name

    @property
    def buffer(self):
        return self.storage.buffer

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def size(self):
        n = 1
        for extent in self.shape:
            n *= extent
        return n

    @property
    def itemsize(self):
        return self.dtype.size

    def __len__(self):
        return self.shape[0]

    def __iter__(self):
        errors.fail(f"tensor '{self.name}' cannot be iterated over")

    def __bool__(self):
        return True

    def __repr__(self):
        return f"<{self.dtype} {self.shape} in {self.region} '{self.name}'>"

    def __deepcopy__(self, memo):
        return self

    def __copy__(self):
        return self

    def is_indirect(self):
        return self.index is not None

    def again(self, name, address=None, site=None):
        """A new tensor like this one, which is all of its storage."""
        new = Tensor(self.storage.again(name, address, site), self.dtype, self.shape, self.strides)
        new._layout = self._layout or self.layout()
        return new

    # --- operands ---------------------------------------------------------------------------

    @property
    def partitions(self):
        return self.shape[0] if self.shape else 1

    @property
    def n(self):
        """Elements per partition (HBM: all)."""
        if self._n is None:
            self.operand()
        return self._n

    def row(self):
        """Elements of this dtype in one partition of the storage."""
        s = self.storage
        return s.free if self.dtype is s.dtype else s.bytes_per_partition // self.dtype.size

    def operand(self):
        """(tensor, pattern, first partition, partitions, offset) of an on-chip view."""
        found = self._operand
        if found is not None:
            return found
        if self.region == "hbm":
            found = self._operand = self.hbm_operand(None)
            return found
        layout = self._layout or self.layout()
        if layout.pattern is None:
            self._walk(layout)
        self._n = layout.n
        partition, offset = divmod(self.offset, layout.row)
        shape = self.shape
        found = self._operand = (self.storage.id, layout.pattern, partition, shape[0] if shape else 1, offset)
        return found

    def layout(self):
        row = 0 if self.region == "hbm" else self.row()
        layouts = self.storage.machine.layouts
        key = (self.dtype, self.shape, self.strides, row)
        found = self._layout = layouts.get(key)
        if found is None:
            found = self._layout = layouts[key] = Layout(row)
        return found

    def _walk(self, layout):
        """Finds the pattern of an on-chip view, once for all of its layout."""
        shape, strides, row = self.shape, self.strides, layout.row
        if shape and shape[0] > 1 and strides[0] != row:
            errors.fail(f"tensor '{self.name}': an access steps {strides[0]} elements from partition to "
                        f"partition, one partition has {row}")
        dims = coalesce(shape[1:], strides[1:])
        layout.pattern = self.storage.machine.pattern(self.dtype, dims)
        layout.n = count(dims)

    def hbm_operand(self, partitions):
        """Operand of an HBM view whose other side has `partitions` partitions (None: not known)."""
        s = self.storage
        m = s.machine
        key = (self.dtype, self.shape, self.strides, partitions)
        form = m.forms.get(key)
        if form is None:
            dims = coalesce(self.shape, self.strides)
            if partitions is not None:
                dims = lead_with(dims, partitions)
            form = m.forms[key] = (m.pattern(self.dtype, dims), count(dims))
        self._n = form[1]
        return (s.id, form[0], 0, 1, self.offset)

    def exact_operand(self):
        """Operand with one pattern dim per dim of the view, for instructions that permute dims."""
        s = self.storage
        m = s.machine
        if self.region == "hbm":
            dims = tuple(zip(self.strides, self.shape))
            return (s.id, m.pattern(self.dtype, dims), 0, 1, self.offset)
        base = self.operand()
        dims = tuple(zip(self.strides[1:], self.shape[1:]))
        return (s.id, m.pattern(self.dtype, dims)) + base[2:]

    # --- indexing ---------------------------------------------------------------------------

    def __getitem__(self, key):
        found = self.part(key)
        return self._general(key) if found is None else found

    def part(self, key):
        """The view of the usual index, for each dim an integer or a slice of numbers inside it; None for
        any other index."""
        if type(key) is not tuple or len(key) != len(self.shape):
            return None
        numbers = ()  # slices have no hash
        for k in key:
            numbers += (k.start, k.stop, k.step) if k.__class__ is slice else (k, "")
        own = self._parts
        if own is None:
            own = self._parts = {}
        try:
            view = own.get(numbers)
        except TypeError:  # index expressions of beta 1 and registers have none either
            return None
        if view is not None:
            return view
        layout = self._layout or self.layout()
        found = layout.parts.get(numbers)
        if found is None:
            view = self._part(key)
            if view is None:
                return None
            keep(layout.parts, numbers, (view.layout(), view.shape, view.strides, view.offset - self.offset))
        else:
            part, shape, strides, offset = found
            view = Tensor(self.storage, self.dtype, shape, strides, self.offset + offset, self.index)
            view._layout = part
        keep(own, numbers, view)
        return view

    def _part(self, key):
        offset = self.offset
        new_shape = []
        new_strides = []
        for k, extent, stride in zip(key, self.shape, self.strides):
            if type(k) is slice:
                start, stop = k.start, k.stop
                if start is None:
                    start = 0
                elif type(start) is not int or start < 0:
                    return None
                if stop is None:
                    stop = extent
                elif type(stop) is not int or stop > extent:
                    return None
                if stop <= start or k.step is not None:
                    return None
                new_shape.append(stop - start)
                new_strides.append(stride)
                offset += start * stride
            elif isinstance(k, int) and 0 <= k < extent:
                offset += k * stride
                if not new_shape and self.region != "hbm":
                    new_shape.append(1)
                    new_strides.append(stride)
            else:
                return None
        if len(new_shape) < 2:
            self._at_least(new_shape, new_strides)
        return Tensor(self.storage, self.dtype, tuple(new_shape), tuple(new_strides), offset, self.index)

    def _general(self, key):
        if type(key) is not tuple:
            key = (key,)
        shape = self.shape
        if len(key) != len(shape):
            return self._indexed(self._expand(key))
        strides = self.strides
        offset = self.offset
        new_shape = []
        new_strides = []
        dim = 0
        for k in key:
            extent = shape[dim]
            stride = strides[dim]
            if type(k) is slice:
                start, stop, step = k.start, k.stop, k.step
                if type(start) is not int:
                    start = 0 if start is None else _index(start)
                if type(stop) is not int:
                    stop = extent if stop is None else _index(stop)
                if start < 0:
                    start += extent
                if stop < 0:
                    stop += extent
                offset += start * stride
                length = stop - start
                if step is not None and step != 1:
                    step = _index(step)
                    if step < 1:
                        self._bad_slice(dim, k)
                    length = (length + step - 1) // step
                    stride *= step
                if start < 0 or stop > extent or length < 1:
                    self._bad_slice(dim, k)
                new_shape.append(length)
                new_strides.append(stride)
            elif k is None or k is Ellipsis:
                return self._indexed(self._expand(key))
            else:
                if type(k) is not int or not 0 <= k < extent:
                    k = self._integer(k, dim)
                offset += k * stride
                if dim == 0 and self.region != "hbm":
                    new_shape.append(1)
                    new_strides.append(stride)
            dim += 1
        if len(new_shape) < 2:
            self._at_least(new_shape, new_strides)
        return Tensor(self.storage, self.dtype, tuple(new_shape), tuple(new_strides), offset,
                      self.index)

    def _at_least(self, shape, strides):
        """On chip two dims stay, in HBM one."""
        if self.region != "hbm" or not shape:
            shape.append(1)
            strides.append(1)

    def _indexed(self, key):
        """Indexing with new axes: they are left out first and put in afterwards."""
        view = self[tuple(k for k in key if k is not None)]
        if None not in key:
            return view
        shape, strides = list(view.shape), list(view.strides)
        at = 0
        for k in key:
            if k is None:
                if at == 0 and self.region != "hbm":
                    errors.fail(f"tensor '{self.name}': no new axis can come before the partitions")
                shape.insert(at, 1)
                strides.insert(at, 1)
                at += 1
            elif type(k) is slice or (at == 0 and self.region != "hbm"):
                at += 1
        return view._with(shape, strides)

    def _integer(self, k, dim):
        extent = self.shape[dim]
        try:
            index = _index(k)
        except TypeError:
            errors.fail(f"tensor '{self.name}': {k!r} cannot be an index of dim {dim}")
        if not -extent <= index < extent:
            errors.fail(f"tensor '{self.name}': index {index} is outside dim {dim} of {extent} "
                        f"elements, shape {self.shape}")
        return index + extent if index < 0 else index

    def _bad_slice(self, dim, k):
        errors.fail(f"tensor '{self.name}': slice {k.start}:{k.stop}:{k.step} is empty or outside dim "
                    f"{dim} of {self.shape[dim]} elements, shape {self.shape}")

    def _expand(self, key):
        """One entry per dim: an ellipsis stands for full slices, missing dims are whole."""
        taken = sum(1 for k in key if k is not None and k is not Ellipsis)
        missing = len(self.shape) - taken
        if missing < 0:
            errors.fail(f"tensor '{self.name}' has {len(self.shape)} dims, {taken} are indexed")
        out = []
        seen = False
        for k in key:
            if k is Ellipsis and not seen:
                seen = True
                out.extend([slice(None)] * missing)
            elif k is not Ellipsis:
                out.append(k)
        if not seen:
            out.extend([slice(None)] * missing)
        return tuple(out)

    def __setitem__(self, key, value):
        from .language import memory
        memory.assign(self[key], value)

    def _with(self, shape, strides, offset=None, dtype=None, index=None):
        return Tensor(self.storage, dtype or self.dtype, tuple(shape), tuple(strides),
                      self.offset if offset is None else offset, index or self.index)


def whole(storage, shape):
    """The view of all of a storage."""
    shape = tuple(int(extent) for extent in shape)
    return Tensor(storage, storage.dtype, shape, row_major(shape))


def count(dims):
    n = 1
    for _, extent in dims:
        n *= extent
    return n


def coalesce(shape, strides):
    """(stride, count) dims of a walk, with dims of one element dropped and contiguous ones merged."""
    dims = []
    for extent, stride in zip(shape, strides):
        if extent == 1:
            continue
        if dims and dims[-1][0] == stride * extent:
            dims[-1] = (stride, dims[-1][1] * extent)
        else:
            dims.append((stride, extent))
    return tuple(dims) or ((1, 1),)


def lead_with(dims, partitions):
    """The same walk with a first dim of `partitions` elements, where that is possible."""
    stride, extent = dims[0]
    if extent == partitions or partitions <= 0:
        return dims
    if partitions == 1:
        return ((0, 1),) + dims if len(dims) < 5 else dims
    if extent > partitions and extent % partitions == 0 and len(dims) < 5:
        rest = extent // partitions
        return ((stride * rest, partitions), (stride, rest)) + dims[1:]
    return dims

