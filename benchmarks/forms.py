"""Short against full form of a patient: exposure and rise of cells in five regimens.

python benchmarks/forms.py [--markdown]
"""

from __future__ import annotations

import argparse

from table import Table

from il2.knowledge.person import person
from il2.patient.agreement import CELLS, agreement
from il2.patient.regimen_file import regimen

CASES = (
    ("DILT1D_20_percent", "T1D", 8),
    ("DILfrequency", "T1D", 30),
    ("cGVHD_daily", "cGVHD", 28),
    ("cGVHD_daily", "healthy", 28),
    ("high_dose_aldesleukin", "renal_cell_carcinoma", 10),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    rows = []
    for name, who, days in CASES:
        found = agreement(regimen(name), person(who), days)
        rises = (f"{found.rise[kind]:.2f}" for kind in CELLS)
        rows.append((name, who, str(days), f"{found.area:.3f}", f"{found.peak:.3f}", *rises))
    head = ("regimen", "patient", "days", "area", "peak", *(f"rise of {kind}" for kind in CELLS))
    table = Table(
        "Short form over full form", head, rows, "Area and peak of the drug in plasma; rise of pools above 1."
    )
    print(table.markdown() if options.markdown else table.text())


if __name__ == "__main__":
    main()
