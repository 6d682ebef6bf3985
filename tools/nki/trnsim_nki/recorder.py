"""Recorders without a file: one that only numbers, one that keeps everything for tests."""


class NullRecorder:
    """Gives out ids and forgets."""

    model_flops = 0

    def __init__(self):
        self.tensors = self.patterns = self.sets = self.lines = 0

    def tensor(self, *args, **kwargs):
        self.tensors += 1
        return self.tensors - 1

    def pattern(self, dtype, dims):
        self.patterns += 1
        return self.patterns - 1

    def attributes(self, **fields):
        self.sets += 1
        return self.sets - 1

    def source(self, file, line):
        self.lines += 1
        return self.lines - 1

    def instruction(self, opcode, engine, outs, ins, attr_id, source_id):
        pass

    def close(self, path=None):
        pass


class MemoryRecorder:
    """Keeps a whole trace as Python objects."""

    def __init__(self):
        self.model_flops = 0
        self.tensors = []
        self.patterns = []
        self.sets = []
        self.lines = []
        self.instructions = []

    def tensor(self, name, region, dtype, partitions, free_elements, pinned_bytes=-1,
               pinned_partition=0, site=None, role="temporary"):
        self.tensors.append(dict(name=name, region=region, dtype=dtype, partitions=partitions,
                                 free=free_elements, pinned_bytes=pinned_bytes,
                                 pinned_partition=pinned_partition, site=site, role=role))
        return len(self.tensors) - 1

    def pattern(self, dtype, dims):
        self.patterns.append((dtype, dims))
        return len(self.patterns) - 1

    def attributes(self, **fields):
        self.sets.append(fields)
        return len(self.sets) - 1

    def source(self, file, line):
        self.lines.append((file, line))
        return len(self.lines) - 1

    def instruction(self, opcode, engine, outs, ins, attr_id, source_id):
        self.instructions.append((opcode, engine, tuple(outs), tuple(ins), attr_id, source_id))

    def close(self, path=None):
        pass

    def shape(self, operand):
        """[partitions, dims...] of an operand."""
        return (operand[3],) + tuple(count for _, count in self.patterns[operand[1]][1])

    def attribute(self, instruction):
        return self.sets[instruction[4]]
