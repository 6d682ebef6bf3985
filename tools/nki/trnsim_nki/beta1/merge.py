"""Steps of an affine_range that become one instruction, in NKI beta 1.

The beta 1 compiler takes a loop apart and joins what neighbouring iterations do side by side. In the profiles of
trainium-kernel-fusion (data/validation/traces) four transposes of 128 columns fill one bank of PSUM that one copy of 512
columns empties, and the stores of two iterations of 2 KiB per partition are one transfer. Here the innermost
affine_range whose iterations do the same and do not depend on each other is taken apart at such instructions: equal ones
on places in a row are one, of at most 512 elements per partition and one bank, transfers of at most 4 KiB per
partition. NKIBench's kernels, which the compiler printed, have tiles of just these widths.
"""
from .. import machine
from ..tensor import coalesce, count
from .pending import flush, state

COLUMNS = 512          # elements per partition of an instruction
TRANSFER_BYTES = 4096  # per partition
_MOST = 16             # iterations at a time
_BANKS = 4             # of PSUM for what they compute; the others hold what is used meanwhile
_SBUF_SHARE = 4        # and this part of SBUF
_LONGEST = 1 << 16     # instructions of a loop that are looked at

# Opcode -> inputs that move along with the output; the others are columns.
_DATA = {"tensor_copy": 1, "activation": 1, "tensor_scalar": 1, "tensor_tensor": 2, "scalar_tensor_tensor": 2,
         "reciprocal": 1, "tensor_reduce": 1, "memset": 0, "dma_copy": 1}


class Sink:
    """Between the instructions and the trace."""

    def __init__(self, m):
        self.m = m
        self.out = m.record
        self.body = None       # instructions of the loop being collected
        self.starts = None     # where its iterations begin
        self.moved = {}        # tensor -> (the tensor that took its place, elements into it)
        self.seen = set()      # tensors of the trace so far
        self.patterns = {}
        self.attributes = {}

    def record(self, opcode, engine, outs, ins, attributes, source):
        body = self.body
        if body is None:
            self._write(opcode, engine, outs, ins, attributes, source)
            return
        body.append((opcode, engine, outs, ins, attributes, source))
        if len(body) > _LONGEST:
            self._give_up()

    def begin(self, joins):
        """A loop begins; the one around it is not innermost."""
        flush()
        self._give_up()
        if joins:
            self.body, self.starts = [], []

    def step(self):
        if self.body is not None:
            flush()
            if self.body is not None:
                self.starts.append(len(self.body))

    def end(self):
        if self.body is not None:
            flush()
        body, starts = self.body, self.starts
        self.body = None
        if not body:
            return
        bounds = [*starts, len(body)]
        steps = [body[a:b] for a, b in zip(bounds, bounds[1:])]
        if len(steps) > 1:
            steps[0] = self._once(steps[0], _kind(steps[1]))
        at = 0
        while at < len(steps):
            kind = _kind(steps[at])
            run = 1
            while at + run < len(steps) and _kind(steps[at + run]) == kind:
                run += 1
            self._run(steps[at:at + run])
            at += run

    def _once(self, step, kind):
        """The first iteration without what later ones need not do again (hoist.py), which comes first."""
        if len(step) <= len(kind):
            return step
        kept, once, written = [], [], set()
        for instruction, own in zip(step, _kind(step)):
            if len(kept) < len(kind) and own == kind[len(kept)]:
                kept.append(instruction)
                written.update(o[0] for o in instruction[2])
            elif any(o[0] in written for o in (*instruction[2], *instruction[3])):
                return step
            else:
                once.append(instruction)
        if len(kept) < len(kind):
            return step
        for instruction in once:
            self._write(*instruction)
        return kept

    def _give_up(self):
        body, self.body = self.body, None
        for instruction in body or ():
            self._write(*instruction)

    def _write(self, opcode, engine, outs, ins, attributes, source):
        if self.moved:
            outs, ins = self._placed(outs), self._placed(ins)
        seen = self.seen
        for operand in outs:
            seen.add(operand[0])
        for operand in ins:
            seen.add(operand[0])
        self.out(opcode, engine, outs, ins, attributes, source)

    def _placed(self, operands):
        moved = self.moved
        if not any(o[0] in moved for o in operands):
            return operands
        return tuple((moved[o[0]][0], *o[1:4], o[4] + moved[o[0]][1]) if o[0] in moved else o for o in operands)

    # --- loops ------------------------------------------------------------------------------

    def _run(self, steps):
        """Iterations that record the same instructions."""
        own = self._own(steps) if len(steps) > 1 and steps[0] else None
        if own is None or not _apart(steps, own, self):
            for step in steps:
                for instruction in step:
                    self._write(*instruction)
            return
        at = 0
        while at < len(steps):
            size = self._size(steps, own, len(steps) - at)
            self._chunk(steps[at:at + size], own)
            at += size

    def _own(self, steps):
        """Tensor -> (its place in the first iteration, iteration) of what only one iteration uses."""
        first, where = {}, {}
        for number, step in enumerate(steps):
            for s, instruction in enumerate(step):
                for k, operand in enumerate((*instruction[2], *instruction[3])):
                    t = operand[0]
                    at = where.setdefault(t, number)
                    if at != number:
                        where[t] = -1
                    first.setdefault((t, number), (s, k))
        own = {}
        for (t, number), place in first.items():
            kind = state.kinds.get(t)
            if where[t] == number and t not in self.seen and t not in self.moved and kind is not None:
                own[t] = (place, number)
        # The same tensor of an iteration must stand for the same one in all.
        roles = None
        for number, step in enumerate(steps):
            names = tuple(own[o[0]][0] if o[0] in own else None for i in step for o in (*i[2], *i[3]))
            if roles is None:
                roles = names
            elif names != roles:
                return None
        return own

    def _size(self, steps, own, left):
        """How many iterations at a time."""
        wanted = 1
        step = steps[0]
        for s in range(len(step)):
            wanted = max(wanted, self._width(steps, own, s))
        size = 1
        while size * 2 <= min(wanted, left, _MOST):
            size *= 2
        tiles = {o[0] for i in step for o in (*i[2], *i[3]) if o[0] in own}
        while size > 1:
            banks = sbuf = 0
            for t in tiles:
                region, _, _, _, width, _ = state.kinds[t]
                if region == "psum":
                    banks += -(-size * width // machine.BANK_BYTES)
                else:
                    sbuf += size * width
            if banks <= _BANKS and sbuf * _SBUF_SHARE <= machine.SBUF_BYTES[self.m.target]:
                break
            size //= 2
        return size

    def _limit(self, t):
        """How many tiles like this one are one."""
        region, _, _, _, width, _ = state.kinds[t]
        return max(1, (machine.BANK_BYTES if region == "psum" else TRANSFER_BYTES) // width)

    def _dims(self, operand):
        found = self.patterns.get(operand[1])
        if found is None:
            self.patterns = {number: key for key, number in self.m.patterns.items()}
            found = self.patterns[operand[1]]
        return found

    def _attribute(self, number, name):
        found = self.attributes.get(number)
        if found is None:
            for key, at in self.m.attributes.items():
                half = len(key) // 2
                self.attributes[at] = dict(zip(key[:half], key[half:]))
            found = self.attributes[number]
        return found.get(name)

    def _width(self, steps, own, s):
        """Of how many iterations a statement can be one instruction: a power of two."""
        opcode, _, outs, ins, attributes, _ = steps[0][s]
        data = _DATA.get(opcode)
        if data is None or len(outs) != 1 or self._attribute(attributes, "indirect") or \
                self._attribute(attributes, "accumulate") or self._attribute(attributes, "has_reduce_result"):
            return 1
        transfer = opcode == "dma_copy"
        operands = [outs[0], *ins]
        moving = 1 + data
        if len(operands) < moving:
            return 1
        most = _MOST
        elements = 1
        chip = None
        for k, operand in enumerate(operands):
            others = [_operand(step[s], k) for step in steps[1:]]
            if k >= moving:
                if any(o != operand for o in others):
                    return 1
                continue
            dtype, dims = self._dims(operand)
            if any(o[1:4] != operand[1:4] for o in others) or len(dims) >= 5:
                return 1
            region, _, _, _, _, row = state.kinds.get(operand[0]) or ("hbm", None, 1, 1, 0, None)
            n = count(dims)
            if operand[0] in own:
                if any(o[4] != operand[4] for o in others):
                    return 1
                most = min(most, self._limit(operand[0]))
            else:
                if any(o[0] != operand[0] for o in others):
                    return 1
                delta = others[0][4] - operand[4]
                if delta <= 0 or any(o[4] - operand[4] != delta * (i + 1) for i, o in enumerate(others)):
                    return 1
                if region == "psum":
                    bank = machine.BANK_BYTES // dtype.size
                    if bank % delta or operand[4] % delta:
                        return 1
                    most = min(most, max(1, (bank - operand[4] % bank) // delta))
            if region != "hbm":
                elements = max(elements, n)
                if transfer:
                    chip = (operand, n * dtype.size)
        if transfer:
            if chip is None:
                return 1
            for operand in operands:
                if (state.kinds.get(operand[0]) or ("hbm",))[0] == "hbm":
                    dims = self._dims(operand)[1]
                    if dims[0][1] != chip[0][3]:
                        return 1
            most = min(most, TRANSFER_BYTES // chip[1])
        else:
            most = min(most, COLUMNS // elements)
        width = 1
        while width * 2 <= most:
            width *= 2
        return width

    def _chunk(self, steps, own):
        """Some iterations: what is joined for all of them, then what follows it in each."""
        size = len(steps)
        if size == 1:
            for instruction in steps[0]:
                self._write(*instruction)
            return
        widths = [min(size, self._width(steps, own, s)) for s in range(len(steps[0]))]
        self._join_tiles(steps, own, widths)
        s = 0
        while s < len(widths):
            width, end = widths[s], s + 1
            if width > 1:
                for at in range(0, size, width):
                    self._joined(steps[at][s], steps[at + 1][s], width, own)
                    self.m.count -= width - 1
            else:  # what stands between two that are joined stays as it was
                while end < len(widths) and widths[end] == 1:
                    end += 1
                for step in steps:
                    for instruction in step[s:end]:
                        self._write(*instruction)
            s = end

    def _join_tiles(self, steps, own, widths):
        """Tiles of iterations that an instruction takes together lie next to each other."""
        size = len(steps)
        joined = {}
        for s, width in enumerate(widths):
            if width > 1:
                for operand in (steps[0][s][2][0], *steps[0][s][3]):
                    if operand[0] in own:
                        place = own[operand[0]][0]
                        joined[place] = min(size, self._limit(operand[0]))
        m = self.m
        for (s, k), width in joined.items():
            while size % width:
                width -= 1
            for at in range(0, size, width):
                t = _operand(steps[at][s], k)[0]
                region, dtype, partitions, free, _, _ = state.kinds[t]
                name = m.unique_name(f"joined_{region}")
                new = m.writer.tensor(name, region, dtype, partitions, free * width, site=state.sites.get(t))
                for j in range(width):
                    self.moved[_operand(steps[at + j][s], k)[0]] = (new, j * free)

    def _joined(self, instruction, following, width, own):
        opcode, engine, outs, ins, attributes, source = instruction
        moving = 1 + _DATA[opcode]
        operands = []
        for k, (operand, other) in enumerate(zip((*outs, *ins), (*following[2], *following[3]))):
            if k < moving:
                dtype, dims = self._dims(operand)
                if operand[0] in own:
                    delta = state.kinds[operand[0]][3]
                else:
                    delta = other[4] - operand[4]
                lead = 0
                if (state.kinds.get(operand[0]) or ("hbm",))[0] == "hbm":
                    lead = 1
                if opcode == "tensor_reduce" and k == 1:
                    dims = ((delta, width), *dims)
                else:
                    dims = (*dims[:lead], *_tidy(((delta, width), *dims[lead:])))
                operand = (operand[0], self.m.pattern(dtype, dims), *operand[2:])
            operands.append(operand)
        self._write(opcode, engine, tuple(operands[:1]), tuple(operands[1:]), attributes, source)


def _tidy(dims):
    return coalesce([n for _, n in dims], [stride for stride, _ in dims])


def _operand(instruction, k):
    outs = instruction[2]
    return outs[k] if k < len(outs) else instruction[3][k - len(outs)]


def _kind(step):
    """The first product into a bank differs from the others in its attributes only."""
    return [(i[0], i[1], len(i[2]), len(i[3]), i[4] if i[0] in _DATA else None, i[5]) for i in step]


def _apart(steps, own, sink):
    """Whether instructions of different iterations may change places: what is written and used by several
    instructions is used by each iteration for itself, in places of its own."""
    users, written = {}, set()
    for number, step in enumerate(steps):
        for s, (_, _, outs, ins, _, _) in enumerate(step):
            for k, operand in enumerate((*outs, *ins)):
                t = operand[0]
                if t in own:
                    continue
                users.setdefault(t, []).append((number, s, operand))
                if k < len(outs):
                    written.add(t)
    for t in written:
        uses = users[t]
        if len({s for _, s, _ in uses}) == 1:
            continue
        reach = {}
        for number, _, operand in uses:
            _, dims = sink._dims(operand)
            low = operand[4]
            high = low + sum(abs(stride) * (n - 1) for stride, n in dims)
            before = reach.get(number)
            reach[number] = (low, high) if before is None else (min(low, before[0]), max(high, before[1]))
        ranges = sorted(reach.values())
        if any(a[1] >= b[0] for a, b in zip(ranges, ranges[1:])):
            return False
    return True
