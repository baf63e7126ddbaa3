"""il2: one executable model of the interleukin-2 system, in which every number has a source."""

__version__ = "0.1.0"

_PUBLIC = {
    "respond": "il2.cell.respond",
    "ec50_table": "il2.cell.table",
    "predict_plate": "il2.cell.plate",
    "card": "il2.atlas.card",
    "claim_table": "il2.atlas.status",
    "conflict_table": "il2.atlas.status",
    "experiment_table": "il2.atlas.status",
    "explain": "il2.atlas.explain",
    "paths": "il2.atlas.path",
    "cite": "il2.atlas.cite",
    "lint": "il2.atlas.lint",
    "Ligand": "il2.receptor.ligand",
    "Il2Error": "il2.errors",
}
__all__ = [*_PUBLIC, "__version__"]


def __getattr__(name: str):
    if name in _PUBLIC:
        from importlib import import_module

        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'il2' has no attribute {name!r}")
