"""How operands move: a trace stores each one's tensor and offset as the change since the form's last use."""
import numpy as np

from .varint import signed


class Movements:
    """Last tensor and offset of every operand of every form."""

    def __init__(self):
        self._first = []   # of each form: the number of its first operand
        self._widths = []  # of each form: its operands
        self._operands = 0
        self._last = np.zeros((2, 0), np.int64)

    def add_form(self, operands):
        self._first.append(self._operands)
        self._widths.append(operands)
        self._operands += operands

    def deltas(self, forms, tensors, offsets):
        """Columns of changes for a block of instructions, all their operands in a row."""
        if not tensors:
            return tensors, offsets
        forms = np.array(forms)
        widths = np.array(self._widths)[forms]
        ends = np.cumsum(widths)
        # Which operand of which form stands at each place of the columns.
        places = np.arange(len(tensors)) + np.repeat(np.array(self._first)[forms] - ends + widths, widths)
        if self._last.shape[1] < self._operands:
            self._last = np.pad(self._last, ((0, 0), (0, self._operands - self._last.shape[1])))
        order = np.argsort(places, kind="stable")
        places = places[order]
        begins = np.flatnonzero(np.diff(places, prepend=-1))
        return [_changes(last, values, places, order, begins)
                for last, values in zip(self._last, (tensors, offsets))]


def _changes(last, values, places, order, begins):
    values = signed(values)[order]
    before = np.roll(values, 1)
    before[begins] = last[places[begins]]
    last[places[begins]] = values[np.append(begins[1:], len(values)) - 1]
    out = np.empty_like(values)
    out[order] = values - before
    return out
