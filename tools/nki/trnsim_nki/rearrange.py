"""Rearrangement of dims by name: split, permute, merge."""
from . import errors


def _parse(pattern):
    """Names grouped per dim, from tuples or an einops text such as 'p (a b) -> p b a'."""
    if isinstance(pattern, str):
        groups, inside = [], None
        for word in pattern.replace("(", " ( ").replace(")", " ) ").split():
            if word == "(":
                inside = []
            elif word == ")":
                groups.append(tuple(inside))
                inside = None
            elif inside is not None:
                inside.append(word)
            else:
                groups.append((word,))
        return groups
    return [(entry,) if isinstance(entry, (str, int)) else tuple(entry) for entry in pattern]


def rearrange(tensor, source, target, sizes):
    source, target = _parse(source), _parse(target)
    if len(source) != len(tensor.shape):
        errors.fail(f"tensor '{tensor.name}' of shape {tensor.shape} does not have the dims {source}")
    sizes = dict(sizes)
    view = tensor
    names = []
    for position, group in enumerate(source):
        extent = tensor.shape[position]
        known, unknown = 1, []
        for name in group:
            if name in sizes:
                known *= sizes[name]
            elif str(name) == "1":
                sizes[name] = 1
            else:
                unknown.append(name)
        if len(unknown) > 1 or extent % known:
            errors.fail(f"tensor '{tensor.name}': dim {position} of {extent} elements cannot be split "
                        f"into {group} with {sizes}")
        if unknown:
            sizes[unknown[0]] = extent // known
        shape = tuple(sizes[name] for name in group)
        if len(group) != 1:
            view = view.reshape_dim(len(names), shape)
        names.extend(group)
    order = [name for group in target for name in group]
    if sorted(map(str, order)) != sorted(map(str, names)):
        errors.fail(f"rearrange from {source} to {target} does not keep the dims")
    view = view.permute(tuple(names.index(name) for name in order))
    position = 0
    for group in target:
        if len(group) > 1:
            view = view.flatten_dims(position, position + len(group) - 1)
        position += 1
    return view
