"""Sources: who says so. Documents, papers, labels, data sets and databases, and whether they were read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from il2.errors import Il2Error, did_you_mean
from il2.knowledge.table import keyed

ASSUMED = "assumed"
READ = {"yes": "read", "abstract": "abstract read", "no": "not read"}


@dataclass(frozen=True)
class Source:
    id: str
    kind: str
    citation: str
    doi: str
    url_or_pmid: str
    retrieved: str
    note: str

    @property
    def url(self) -> str:
        """Where it can be looked up; empty where no address is known."""
        if self.doi:
            return f"https://doi.org/{self.doi}"
        if self.url_or_pmid.isdigit():
            return f"https://pubmed.ncbi.nlm.nih.gov/{self.url_or_pmid}/"
        return self.url_or_pmid

    @property
    def pmid(self) -> str:
        return self.url_or_pmid if self.url_or_pmid.isdigit() else ""

    @property
    def read(self) -> str:
        return READ[self.retrieved]


@cache
def sources() -> dict[str, Source]:
    """All sources by id."""
    return {name: Source(**row) for name, row in keyed("sources", "id").items()}


def source(name: str) -> Source:
    """One source; an unknown id is an error that suggests the nearest."""
    table = sources()
    if name not in table:
        raise Il2Error(f"unknown source {name!r}", how=did_you_mean(name, table))
    return table[name]
