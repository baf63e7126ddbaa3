"""PEtab problems of version 1 and 2, checked by the linter of the package petab, as sheets.

What a lane of a network cannot do is refused: preequilibration, several periods in an experiment, and measurements at
steady state.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from il2.errors import Il2Error
from il2.formats.petab_tables import Sheet


def sheets(path: Path) -> list[Sheet]:
    """The tables of the YAML file of a problem.

    Raises `Il2Error` where the package petab is missing, where its linter finds an error, and for what is refused.
    """
    try:
        import petab.v1.yaml
    except ImportError:
        raise Il2Error("PEtab needs the package petab", how='Install the extra: pip install "il2[petab]".') from None
    if not path.is_file():
        raise Il2Error("no such file", where=str(path), how="Give the YAML file of a PEtab problem.")
    from il2.formats.petab_v1 import version_1
    from il2.formats.petab_v2 import version_2

    with _told(path) as errors:
        config = petab.v1.yaml.load_yaml(str(path))
        if not isinstance(config, dict) or "format_version" not in config:
            raise Il2Error("has no format_version", where=str(path), how="Give the YAML file of a PEtab problem.")
        old = str(config["format_version"]).startswith("1")
        found = version_1(path, config, errors) if old else version_2(path)
    for sheet in found:
        for row in sheet.measurements:
            if not math.isfinite(row.value):
                raise Il2Error(f"a measurement of {row.observable} is {row.value:g}", where=sheet.name)
            if not math.isfinite(row.time) or row.time < 0:
                why = f"{row.observable} at time {row.time:g}"
                raise Il2Error("a measurement at steady state", where=sheet.name, why=why, how="Give a finite time.")
    return found


@contextmanager
def _told(path: Path) -> Iterator[list[str]]:
    """Errors that petab logs meanwhile; what it raises becomes one of ours."""
    messages: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("petab")
    before = logger.propagate, logger.level
    logger.propagate = False
    logger.setLevel(logging.ERROR)
    logger.addHandler(handler)
    try:
        yield messages
    except Il2Error:
        raise
    except Exception as error:
        what = " ".join(str(getattr(error, "message", error)).split()) or type(error).__name__
        raise Il2Error(f"not a PEtab problem: {what}", where=str(path)) from error
    finally:
        logger.removeHandler(handler)
        logger.propagate = before[0]
        logger.setLevel(before[1])
