"""Storages: the memory a tensor lives in, with its bytes in numeric mode."""
import numpy as np

from . import dtypes, errors, machine


class Storage:
    """Memory of one ndarray: `partitions` rows of `free` elements (HBM: one row)."""

    __slots__ = ("id", "name", "region", "buffer", "dtype", "partitions", "free", "data", "written",
                 "matmuls", "machine", "pinned", "role", "bytes_per_partition", "trace_dtype")

    def __init__(self, m, name, region, buffer, dtype, shape, address=None, role="temporary",
                 site=None):
        self.machine = m
        self.name = name
        self.region = region
        self.buffer = buffer
        self.dtype = dtype
        self.role = role
        elements = 1
        for extent in shape:
            elements *= extent
        if elements <= 0:
            errors.fail(f"tensor '{name}' of shape {shape} has no elements")
        if region == "hbm":
            self.partitions, self.free = 1, elements
        else:
            self.partitions = shape[0] if shape else 1
            self.free = elements // self.partitions
        self.bytes_per_partition = self.free * dtype.size
        self._check(m, shape)
        partition, byte = self._address(m, address)
        self.pinned = None if byte < 0 else (partition, byte)
        self.matmuls = None
        self.data = self.written = None
        if m.numeric:
            total = elements * dtype.size
            # All ones is a NaN in every float type: a value nobody wrote stays visible.
            self.data = np.full(total, 255, np.uint8)
            self.written = np.zeros(total, np.uint8)
        self.trace_dtype = dtypes.TRACE_NAME.get(dtype, str(dtype))
        site = site or m.site()
        self.id = m.writer.tensor(name, region, self.trace_dtype, self.partitions, self.free,
                                  pinned_bytes=byte, pinned_partition=partition, site=site, role=role)
        if m.made is not None:
            m.made(self, site)

    def again(self, name, address=None, site=None):
        """Another one of the same kind, without data: what has been checked once is not again."""
        new = Storage.__new__(Storage)
        new.machine = m = self.machine
        new.name = name
        new.region = self.region
        new.buffer = self.buffer
        new.dtype = self.dtype
        new.trace_dtype = self.trace_dtype
        new.role = self.role
        new.partitions = self.partitions
        new.free = self.free
        new.bytes_per_partition = self.bytes_per_partition
        new.matmuls = new.data = new.written = new.pinned = None
        partition, byte = 0, -1
        if address is not None:
            partition, byte = new.pinned = new._address(m, address)
        site = site or m.site()
        new.id = m.writer.tensor(name, self.region, self.trace_dtype, self.partitions, self.free, byte,
                                 partition, site, self.role)
        if m.made is not None:
            m.made(new, site)
        return new

    def _check(self, m, shape):
        if self.region == "hbm":
            return
        if self.partitions > machine.PMAX:
            errors.fail(f"tensor '{self.name}' of shape {tuple(shape)} has {self.partitions} "
                        f"partitions, {self.region} has {machine.PMAX}")
        limit = machine.PSUM_BYTES if self.region == "psum" else machine.SBUF_BYTES[m.target]
        if self.bytes_per_partition > limit:
            errors.fail(f"tensor '{self.name}' of shape {tuple(shape)} needs "
                        f"{self.bytes_per_partition} bytes per partition, {self.region} has {limit}")

    def _address(self, m, address):
        if address is None or self.region == "hbm":
            return 0, -1
        try:
            partition, byte = address
            partition, byte = int(partition), int(byte)
        except (TypeError, ValueError):
            errors.fail(f"address of tensor '{self.name}' must be (partition, byte), not {address!r}")
        if partition < 0 or partition + self.partitions > machine.PMAX:
            errors.fail(f"tensor '{self.name}' has {self.partitions} partitions from {partition}, "
                        f"{self.region} has {machine.PMAX}")
        limit = machine.PSUM_BYTES if self.region == "psum" else machine.SBUF_BYTES[m.target]
        if byte < 0 or byte + self.bytes_per_partition > limit:
            errors.fail(f"tensor '{self.name}' covers bytes {byte} to "
                        f"{byte + self.bytes_per_partition}, {self.region} has {limit} per partition")
        return partition, byte

    def fill(self, array):
        """Takes the data of an argument."""
        flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        self.data[:] = flat
        self.written[:] = 255
