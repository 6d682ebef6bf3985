"""View methods of tensors: access patterns, reshapes, permutations, other element types."""
from . import dtypes, errors


class Index:
    """What makes a view indirect: a tile of indices and the stride (elements) one index step makes."""

    __slots__ = ("kind", "tile", "stride", "extent")

    def __init__(self, kind, tile, stride, extent):
        self.kind = kind      # "vector": one index per row of dim 0; "columns": trn3 gather along free
        self.tile = tile
        self.stride = stride
        self.extent = extent


class ViewMethods:
    """Mixed into Tensor; every method returns a new view of the same storage."""

    __slots__ = ()

    outside = None  # element where a walk that leaves its tensor would start, see moved_inside

    def ap(self, pattern=None, offset=None, scalar_offset=None, vector_offset=None, indirect_dim=0,
           dtype=None, **unknown):
        if unknown:
            errors.unknown_keywords("ap", unknown)
        shape = tuple([int(pair[1]) for pair in pattern])
        strides = tuple([int(pair[0]) for pair in pattern])
        start = self.offset + (0 if offset is None else int(offset))
        own = self.dtype
        wanted = own if dtype is None else dtypes.of(dtype)
        if wanted is not own and wanted.size != own.size:
            # The pattern counts in the new type; the view's own offset counts in the old one.
            start = self.offset * own.size // wanted.size + (0 if offset is None else int(offset))
        index = self.index
        if scalar_offset is not None:
            stride = self.strides[indirect_dim] * own.size // wanted.size
            moved = register_value(scalar_offset) * stride
            start += moved
        if vector_offset is not None:
            stride = self.strides[indirect_dim] * own.size // wanted.size
            index = Index("vector", vector_offset, stride, self.shape[indirect_dim])
        view = self._with(shape, strides, start, wanted, index)
        if min(shape, default=1) < 1:
            errors.fail(f"tensor '{self.name}': pattern {pattern} has a dim without elements")
        if index is None:
            if scalar_offset is not None and self.region == "hbm":
                return view.moved_inside(start - moved, pattern)
            view.check_bounds(pattern)
        return view

    def moved_inside(self, home, pattern):
        """A view whose place came from a register: one that leaves the tensor stands at `home`, without what the
        register added, and tells DMAs, which may skip what does not exist, where it would have been."""
        reach = [stride * (extent - 1) for stride, extent in zip(self.strides, self.shape)]
        if 0 <= self.offset + sum(min(r, 0) for r in reach) and \
                self.offset + sum(max(r, 0) for r in reach) < self.row():
            return self
        view = self._with(self.shape, self.strides, home, self.dtype).check_bounds(pattern)
        view.outside = self.offset
        return view

    def check_bounds(self, what=None):
        """A walk must stay inside the storage, on chip inside its partitions."""
        storage = self.storage
        row = self.row()
        low = high = self.offset
        dims = list(zip(self.strides, self.shape))
        first = None
        if self.region != "hbm" and dims:
            first = dims.pop(0)
            low = high = self.offset % row
        for stride, extent in dims:
            if stride < 0:
                low += stride * (extent - 1)
            else:
                high += stride * (extent - 1)
        inside = 0 <= low and high < row
        if first is not None:
            inside = inside and self.offset // row + first[1] <= storage.partitions
        if not inside:
            errors.fail(f"tensor '{self.name}': access {what or self.get_pattern()} from element "
                        f"{self.offset} leaves its {storage.partitions} x {row} elements")
        return self

    def get_pattern(self):
        return [[stride, extent] for stride, extent in zip(self.strides, self.shape)]

    def is_contiguous(self):
        step = 1
        first = 0 if self.region == "hbm" else 1
        for extent, stride in zip(reversed(self.shape[first:]), reversed(self.strides[first:])):
            if extent != 1:
                if stride != step:
                    return False
                step *= extent
        return True

    def _dim(self, dim, inner=True):
        found = dim + len(self.shape) if dim < 0 else dim
        if not 0 <= found < len(self.shape):
            errors.fail(f"tensor '{self.name}' of shape {self.shape} has no dim {dim}")
        if inner and found == 0 and self.region != "hbm":
            errors.fail(f"tensor '{self.name}': dim 0 is the partitions and cannot be changed")
        return found

    def slice(self, dim, start, end, step=1):
        dim = self._dim(dim, inner=False)
        key = [slice(None)] * len(self.shape)
        key[dim] = slice(start, end, step)
        return self[tuple(key)]

    def select(self, dim, index):
        dim = self._dim(dim)
        value = register_value(index)
        if not 0 <= value < self.shape[dim]:
            errors.fail(f"tensor '{self.name}': index {value} is outside dim {dim} of {self.shape[dim]}")
        return self._with(self.shape[:dim] + self.shape[dim + 1:],
                          self.strides[:dim] + self.strides[dim + 1:],
                          self.offset + value * self.strides[dim])

    def vector_select(self, dim, vector_offset):
        if dim != 0 or self.region != "hbm":
            errors.fail(f"tensor '{self.name}': vector_select works on dim 0 of HBM tensors")
        index = Index("vector", vector_offset, self.strides[0], self.shape[0])
        return self._with((vector_offset.shape[0],) + self.shape[1:], self.strides, index=index)

    def indirect(self, index, num_elem=None):
        total = index.shape[0] * index.n
        return self._with((self.shape[0], int(num_elem or total)), (self.strides[0], 0),
                          index=Index("columns", index, 1, self.n))

    def permute(self, dims):
        dims = tuple(int(dim) for dim in dims)
        if sorted(dims) != list(range(len(self.shape))) or (self.region != "hbm" and dims[0] != 0):
            errors.fail(f"tensor '{self.name}' of shape {self.shape} cannot be permuted by {dims}")
        return self._with((self.shape[d] for d in dims), (self.strides[d] for d in dims))

    def broadcast(self, dim, size):
        dim = self._dim(dim)
        if self.shape[dim] != 1:
            errors.fail(f"tensor '{self.name}': dim {dim} has {self.shape[dim]} elements, only 1 can "
                        "be broadcast")
        return self._with(self.shape[:dim] + (int(size),) + self.shape[dim + 1:],
                          self.strides[:dim] + (0,) + self.strides[dim + 1:])

    def broadcast_to(self, shape):
        view = self
        shape = tuple(int(extent) for extent in shape)
        while len(view.shape) < len(shape):
            view = view.expand_dim(0 if self.region == "hbm" else 1)
        strides = tuple(0 if have == 1 and want != 1 else stride
                        for have, want, stride in zip(view.shape, shape, view.strides))
        for dim, (have, want) in enumerate(zip(view.shape, shape)):
            if have != want and (have != 1 or (dim == 0 and self.region != "hbm")):
                errors.fail(f"tensor '{self.name}' of shape {self.shape} cannot be broadcast to {shape}")
        return view._with(shape, strides)

    def expand_dim(self, dim):
        dim = dim + len(self.shape) + 1 if dim < 0 else dim
        if dim == 0 and self.region != "hbm":
            errors.fail(f"tensor '{self.name}': no dim can come before the partitions")
        return self._with(self.shape[:dim] + (1,) + self.shape[dim:],
                          self.strides[:dim] + (1,) + self.strides[dim:])

    def squeeze_dim(self, dim):
        dim = self._dim(dim)
        if self.shape[dim] != 1:
            errors.fail(f"tensor '{self.name}': dim {dim} has {self.shape[dim]} elements, not 1")
        return self._with(self.shape[:dim] + self.shape[dim + 1:],
                          self.strides[:dim] + self.strides[dim + 1:])

    def reshape_dim(self, dim, shape):
        dim = self._dim(dim, inner=len(shape) > 1)
        shape = _inferred(shape, self.shape[dim], self)
        strides = []
        step = self.strides[dim]
        for extent in reversed(shape):
            strides.append(step)
            step *= extent
        return self._with(self.shape[:dim] + shape + self.shape[dim + 1:],
                          self.strides[:dim] + tuple(reversed(strides)) + self.strides[dim + 1:])

    def flatten_dims(self, start_dim, end_dim):
        start, end = self._dim(start_dim), self._dim(end_dim)
        total = 1
        for extent in self.shape[start:end + 1]:
            total *= extent
        return self.reshape(self.shape[:start] + (total,) + self.shape[end + 1:])

    def reshape(self, *shape, **unknown):
        if unknown.get("shape") is not None:
            shape = (unknown.pop("shape"),)
        if len(shape) == 1 and not isinstance(shape[0], int):
            shape = shape[0]
        shape = _inferred(shape, self.size, self)
        if shape == self.shape:
            return self
        if self.region != "hbm":
            if not shape or shape[0] != self.shape[0]:
                return self._repartitioned(shape)
            free = _restride(self.shape[1:], self.strides[1:], shape[1:])
            if free is None:
                self._cannot(shape)
            return self._with(shape, self.strides[:1] + free)
        strides = _restride(self.shape, self.strides, shape)
        if strides is None:
            self._cannot(shape)
        return self._with(shape, strides)

    def _repartitioned(self, shape):
        """Leading dims of one element may come and go before the partitions."""
        core = tuple(e for e in shape if e != 1)
        if self.shape[0] == 1 and shape:
            free = _restride(self.shape[1:], self.strides[1:], shape)
            if free is not None and shape[0] == 1:
                return self._with(shape, self.strides[:1] + free[1:])
        if core and core[0] == self.shape[0] and shape[0] == 1:
            errors.fail(f"tensor '{self.name}': reshape from {self.shape} to {shape} moves the "
                        "partitions away from dim 0")
        return self._cannot(shape)

    def _cannot(self, shape):
        errors.fail(f"tensor '{self.name}' with shape {self.shape} and strides {self.strides} cannot "
                    f"be reshaped to {shape} without a copy")

    def view(self, dtype):
        wanted = dtypes.of(dtype)
        old, new = self.dtype.size, wanted.size
        if old == new:
            return self._with(self.shape, self.strides, dtype=wanted)
        if not self.shape or (self.strides[-1] != 1 and self.shape[-1] != 1):
            errors.fail(f"tensor '{self.name}': the last dim must be contiguous to be seen as {wanted}")
        last = self.shape[-1] * old
        strides = [stride * old for stride in self.strides[:-1]]
        if last % new or self.offset * old % new or any(stride % new for stride in strides):
            errors.fail(f"tensor '{self.name}' of shape {self.shape} and {self.dtype} has no whole "
                        f"number of {wanted} elements")
        shape = self.shape[:-1] + (last // new,)
        return self._with(shape, tuple(stride // new for stride in strides) + (1,),
                          self.offset * old // new, wanted)

    reinterpret_cast = view

    def rearrange(self, src_pattern, dst_pattern, fixed_sizes=None):
        from .rearrange import rearrange
        return rearrange(self, src_pattern, dst_pattern, fixed_sizes or {})

    def must_alias_input(self, *args, **kwargs):
        return self

    def astype(self, dtype):
        from .language import memory
        return memory.copy(self, dtype=dtype)


def register_value(value):
    """The number in a register, a one-element tile or an int; 0 where it is not known."""
    if isinstance(value, ViewMethods):
        from .isa import registers
        return registers.load_scalar(value)
    return value.__index__()


def _inferred(shape, total, tensor):
    shape = [int(extent) for extent in shape]
    known = 1
    for extent in shape:
        known *= extent if extent != -1 else 1
    if -1 in shape and known and total % known == 0:
        shape[shape.index(-1)] = total // known
        known = total
    if known != total:
        errors.fail(f"tensor '{tensor.name}' of shape {tensor.shape}: {tuple(shape)} does not have its "
                    f"{total} elements")
    return tuple(shape)


def _restride(shape, strides, wanted):
    """Strides of the same walk with other extents; None if it needs a copy."""
    groups = []
    for extent, stride in zip(shape, strides):
        if extent == 1:
            continue
        if groups and groups[-1][0] == stride * extent:
            groups[-1] = (stride, groups[-1][1] * extent)
        else:
            groups.append((stride, extent))
    out = []
    at = len(groups) - 1
    left = groups[at][1] if groups else 1
    step = groups[at][0] if groups else 1
    for extent in reversed(wanted):
        if extent == 1:
            out.append(step)
            continue
        while left == 1 and at > 0:
            at -= 1
            step, left = groups[at]
        if left % extent:
            return None
        out.append(step)
        step *= extent
        left //= extent
    return tuple(reversed(out))
