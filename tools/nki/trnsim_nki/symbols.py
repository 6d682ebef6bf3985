"""Names of the API that are known and not implemented, for a clear message instead of an AttributeError."""
UNIMPLEMENTED = {
    "nki.collectives": ("all_gather_v", "all_to_all_v"),
}
