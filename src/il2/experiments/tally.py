"""How many experiments have which verdict, and how many of the decided are built in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from il2.experiments.criterion import CONTRADICTED, NOT_BUILT, PARTIAL, SHOWN, UNDECIDED
from il2.experiments.experiment import BUILT_IN, EMERGENT
from il2.experiments.record import Record

VERDICTS = (SHOWN, CONTRADICTED, PARTIAL, UNDECIDED, NOT_BUILT)
DECIDED = (SHOWN, CONTRADICTED)


@dataclass(frozen=True)
class Tally:
    """Numbers of experiments by verdict, and of the decided (shown or contradicted) by origin.

    settled: experiments of which every claim is decided, whatever they say together. claims: numbers of claims of the
    experiments that were run, by verdict.
    """

    verdicts: Mapping[str, int]
    emergent: int
    built_in: int
    settled: int
    claims: Mapping[str, int]

    @property
    def decided(self) -> int:
        return sum(self.verdicts[v] for v in DECIDED)

    @property
    def text(self) -> str:
        counts = ", ".join(f"{n} {verdict}" for verdict, n in self.verdicts.items())
        origins = f": {self.emergent} {EMERGENT}, {self.built_in} {BUILT_IN}" if self.decided else ""
        every = f"Every claim is decided in {self.settled}."
        tested = ", ".join(f"{n} {verdict}" for verdict, n in self.claims.items())
        return (
            f"{sum(self.verdicts.values())} experiments: {counts}. Decided {self.decided}{origins}. {every}\n"
            f"{sum(self.claims.values())} claims of those that were run: {tested}."
        )


def tally(names: Iterable[str], records: Mapping[str, Record]) -> Tally:
    """Count the named experiments; one without a record is not built."""
    found = [records.get(name) for name in names]
    words = [record.verdict if record else NOT_BUILT for record in found]
    origins = [record.origin for record in found if record and record.verdict in DECIDED]
    claims = [[verdict for verdict, _ in record.claims.values()] for record in found if record]
    each = [verdict for own in claims for verdict in own]
    return Tally(
        {v: words.count(v) for v in VERDICTS},
        origins.count(EMERGENT),
        origins.count(BUILT_IN),
        sum(bool(own) and set(own) <= set(DECIDED) for own in claims),
        {v: each.count(v) for v in VERDICTS},
    )
