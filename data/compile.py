"""Compile the measurement tables of this folder from the source data sets.

    python data/compile.py FOLDER

FOLDER holds the source data sets, one sub-folder each (see README.md). Every table is built and checked
before the first one is written, so a run that fails changes nothing.
"""

import sys
from pathlib import Path

import pandas as pd

RECEPTORS = {"IL2Ra": "IL2RA", "IL2Rb": "IL2RB", "gc": "IL2RG", "IL15Ra": "IL15RA", "IL7Ra": "IL7R"}


def significant(values: pd.Series, digits: int) -> pd.Series:
    """Round to a number of significant digits."""
    return values.map(lambda value: float(f"{value:.{digits}g}"))


def receptor_names(values: pd.Series) -> pd.Series:
    """Replace receptor names by HGNC symbols wherever they occur in a text."""
    for old, new in RECEPTORS.items():
        values = values.str.replace(rf"\b{old}\b", new, regex=True)
    return values


def yt1_cell(table: pd.DataFrame) -> pd.Series:
    """Name the YT-1 line with or without IL2RA, for example `YT-1 IL2Ra+`."""
    return table["cell_line"] + " " + table["il2ra_status"]


def pbmc_pstat5(folder: Path) -> pd.DataFrame:
    """pSTAT5 of PBMC populations under IL-2 or IL-15, minus the untreated well of the plate."""
    source = pd.read_csv(folder / "farhat2021_pbmc_pstat5_il2_il15" / "pstat5_median.csv")
    excluded = pd.Series("", index=source.index)
    excluded[source["suspect_well"]] = "suspect well"
    excluded[source["is_zero_treatment_well"]] = "zero-treatment well"
    table = pd.DataFrame(
        {
            "experiment_date": source["experiment_date"],
            "ligand": source["ligand"],
            "cell": source["cell_type"],
            "replicate": source["replicate"],
            "time_min": source["time_min"].astype(int),
            "dose_nM": significant(source["dose_nM"], 7),
            "pstat5_rfu": significant(source["pstat5_rfu_minus_zero"], 7),
            "excluded": excluded,
        }
    )
    return table.sort_values(["ligand", "cell", "replicate", "time_min", "dose_nM"])


def fc_fusion_pstat5(folder: Path) -> pd.DataFrame:
    """pSTAT5 of PBMC populations under monomeric IL-2-Fc fusions, background not subtracted."""
    source = pd.read_csv(folder / "visterra_monomeric_fc_il2" / "pstat5_median.csv")
    if set(source["valency"]) != {1}:
        raise ValueError("visterra_monomeric_fc_il2/pstat5_median.csv:valency: only monovalent fusions are expected")
    table = pd.DataFrame(
        {
            "experiment_date": source["experiment_date"],
            "ligand": source["ligand"],
            "cell": source["cell_type"],
            "time_min": source["time_min"].astype(int),
            "dose_nM": significant(source["dose_nM"], 7),
            "pstat5_rfu": significant(source["median_pstat5_rfu"], 7),
        }
    )
    return table.sort_values(["experiment_date", "ligand", "cell", "time_min", "dose_nM"])


def fc_fusion_affinities(folder: Path) -> pd.DataFrame:
    """Octet dissociation constants of the monomeric IL-2-Fc fusions."""
    source = pd.read_csv(folder / "visterra_monomeric_fc_il2" / "affinities.csv")
    changed = source["specificity_mutation"].where(source["specificity_mutation"] != "wild type", "")
    return pd.DataFrame(
        {
            "ligand": source["ligand"],
            "kd_il2ra_nM": source["kd_il2ra_nM"],
            "kd_il2rbg_nM": source["kd_il2rbg_nM"],
            "kd_assay": "octet_bli",
            "format": "monomeric Fc fusion",
            "terminus": source["fc_terminus"],
            "mutations": (changed + "/" + source["other_mutations"]).str.lstrip("/"),
        }
    )


def yt1_pstat5(folder: Path) -> pd.DataFrame:
    """pSTAT5 dose-response of YT-1 cells with and without IL2RA, percent of the plotted maximum."""
    source = pd.read_csv(folder / "ring2012_yt1_pstat5" / "pstat5_dose_response.csv")
    table = pd.DataFrame(
        {
            "ligand": receptor_names(source["ligand"]),
            "cell": yt1_cell(source),
            "dose_nM": significant(source["dose_nM"], 6),
            "pstat5_percent": significant(source["pstat5_pct_max"], 6),
        }
    )
    return table.sort_values(["ligand", "cell", "dose_nM"])


def yt1_surface_il2rb(folder: Path) -> pd.DataFrame:
    """Surface IL2RB of YT-1 cells after IL-2 or IL-15, percent of the untreated level."""
    source = pd.read_csv(folder / "ring2012_yt1_il2rb_internalisation" / "surface_il2rb_timecourse.csv")
    table = pd.DataFrame(
        {
            "ligand": receptor_names(source["ligand"]),
            "cell": yt1_cell(source),
            "dose_nM": source["dose_nM"],
            "time_min": source["time_min"].astype(int),
            "surface_il2rb_percent": significant(source["surface_il2rb_pct"], 6),
        }
    )
    return table.sort_values(["ligand", "cell", "dose_nM", "time_min"])


def yt1_surface_il2rg(folder: Path) -> pd.DataFrame:
    """Surface IL2RG of YT-1 cells after saturating IL-2, percent of the start."""
    source = pd.read_csv(folder / "mitra2015_yt1_gc_depletion" / "surface_gc_timecourse.csv")
    table = pd.DataFrame(
        {
            "ligand": source["ligand"],
            "cell": yt1_cell(source),
            "dose_nM": source["dose_nM"],
            "time_min": source["time_min"].astype(int),
            "surface_il2rg_percent": significant(source["surface_gc_pct"], 6),
        }
    )
    return table.sort_values("time_min")


def il4_il7_dose_response(folder: Path) -> pd.DataFrame:
    """pSTAT6 under IL-4 and pSTAT5 under IL-7 of CD4 T cells, arbitrary units."""
    source = pd.read_csv(folder / "gonnord2018_il4_il7_crosstalk" / "dose_response.csv")
    table = pd.DataFrame(
        {
            "ligand": source["ligand"],
            "curve": source["curve"],
            "dose_nM": significant(source["dose_nM"], 6),
            "time_min": source["time_min"].astype(int),
            "readout": source["readout"],
            "signal_au": significant(source["median_signal_au"], 6),
        }
    )
    return table.sort_values(["ligand", "curve", "dose_nM"])


def il4_il7_crosstalk(folder: Path) -> pd.DataFrame:
    """Inhibition of the answer to IL-4 or IL-7 by pretreatment of CD4 T cells with the other one, percent."""
    source = pd.read_csv(folder / "gonnord2018_il4_il7_crosstalk" / "crosstalk_inhibition.csv")
    table = pd.DataFrame(
        {
            "pretreatment_ligand": source["pretreatment_ligand"],
            "pretreatment_dose_nM": significant(source["pretreatment_dose_nM"], 6),
            "pretreatment_time_min": source["pretreatment_time_min"].astype(int),
            "ligand": source["stimulation_ligand"],
            "dose_nM": significant(source["stimulation_dose_nM"], 6),
            "time_min": source["stimulation_time_min"].astype(int),
            "curve": source["curve"],
            "inhibition_percent": significant(source["inhibition_pct"], 6),
        }
    )
    return table.sort_values(["pretreatment_ligand", "curve", "pretreatment_dose_nM"])


def multivalent_binding(folder: Path) -> pd.DataFrame:
    """Binding of fluorescent nanorings with 1 to 8 EpCAM-binding domains to MCF-7 cells."""
    source = pd.read_csv(folder / "csizmar2019_multivalent_binding" / "binding.csv")
    if set(source["cell_line"] + " " + source["receptor"]) != {"MCF-7 EpCAM"}:
        raise ValueError("csizmar2019_multivalent_binding/binding.csv: only EpCAM on MCF-7 is expected")
    table = pd.DataFrame(
        {
            "clone": source["fibronectin_clone"],
            "kd_nM": significant(source["monomer_kd_nM"], 3),
            "valency": source["valency"],
            "receptors_per_cell": source["receptor_per_cell"].astype(int),
            "dose_nM": source["nanoring_concentration_nM"],
            "monomer_nM": source["monomer_concentration_nM"],
            "fluorescence_au": source["fluorescence_au"],
        }
    )
    return table.sort_values(["clone", "valency", "dose_nM"])


def published_posterior(folder: Path) -> pd.DataFrame:
    """Every fifth draw of the published fit with trafficking, with the sums of squares that were recorded for it."""
    source = pd.read_csv(folder / "farhat2021_posterior" / "il2_il15_trafficking_draws.csv")
    table = source.iloc[::5].drop(columns="logp")
    table = table.rename(columns={f"Rexpr_{old}": f"Rexpr_{new}" for old, new in RECEPTORS.items()})
    numbers = table.columns.difference(["chain", "draw"])
    table[numbers] = table[numbers].apply(significant, digits=7)
    return table.sort_values(["chain", "draw"])


def single_cell_pstat5(folder: Path) -> pd.DataFrame:
    """Mean and variance of pSTAT5 over the cells of a well: IL-2, IL-15 and fusions with a measured affinity."""
    source = pd.read_csv(folder / "single_cell_pstat5_moments" / "pstat5_moments.csv")
    known = set(fc_fusion_affinities(folder)["ligand"]) | {"IL2", "IL15"}
    source = source[source["ligand"].isin(known)].reset_index(drop=True)
    replicate = source["experiment_date"].map({"2019-03-27": 2}).fillna(1).astype(int)
    plates = pd.read_csv(folder / "farhat2021_pbmc_pstat5_il2_il15" / "pstat5_median.csv")
    empty = plates.loc[plates["is_zero_treatment_well"], ["ligand", "cell_type", "replicate", "time_min"]]
    empty = set(empty.itertuples(index=False, name=None))
    lowest = source["dose_nM"] == source["dose_nM"].min()
    wells = zip(source["ligand"], source["cell_type"], replicate, source["time_min"], strict=True)
    untreated = lowest & pd.Series([well in empty for well in wells])
    excluded = source["suspect"].map({True: "suspect well", False: ""}).mask(untreated, "zero-treatment well")
    table = pd.DataFrame(
        {
            "experiment_date": source["experiment_date"],
            "ligand": source["ligand"],
            "cell": source["cell_type"],
            "replicate": replicate,
            "time_min": source["time_min"].astype(int),
            "dose_nM": significant(source["dose_nM"], 7),
            "mean_pstat5_rfu": significant(source["mean_pstat5_rfu"], 7),
            "variance_pstat5_rfu2": significant(source["variance_pstat5_rfu2"], 7),
            "excluded": excluded,
        }
    )
    return table.sort_values(["ligand", "cell", "replicate", "time_min", "dose_nM"])


def receptor_moments(folder: Path) -> pd.DataFrame:
    """Mean, variance and covariance over cells of receptor numbers; a row of a receptor with itself is its variance."""
    place = folder / "single_cell_pstat5_moments"
    own, pairs = (pd.read_csv(place / f"receptor_{name}.csv") for name in ("moments", "covariances"))
    stain, per_cell = ["experiment_date", "plate", "cell_type"], "mean_count_per_cell"
    own = own.rename(columns={"variance_count2": "covariance_count2"}).assign(other=own["receptor"])
    own["other_mean_per_cell"] = own[per_cell]
    pairs = pairs.rename(columns={"receptor_a": "receptor", "receptor_b": "other"})
    means = own[[*stain, "receptor", per_cell]]
    pairs = pairs.merge(means, on=[*stain, "receptor"], validate="many_to_one")
    means = means.rename(columns={"receptor": "other", per_cell: "other_mean_per_cell"})
    pairs = pairs.merge(means, on=[*stain, "other"], validate="many_to_one")
    table = pd.concat([own.astype({"skewness": object}), pairs.assign(skewness="")], ignore_index=True)
    table["receptor"], table["other"] = receptor_names(table["receptor"]), receptor_names(table["other"])
    numbers = [per_cell, "other_mean_per_cell", "covariance_count2"]
    table[numbers] = table[numbers].apply(significant, digits=7)
    names = {"cell_type": "cell", per_cell: "mean_per_cell", "other": "other_receptor"}
    columns = ["receptor", "other", per_cell, "other_mean_per_cell", "covariance_count2", "skewness"]
    table = table[[*stain, *columns]].rename(columns=names)
    return table.sort_values(["cell", "receptor", "other_receptor", "experiment_date", "plate"])


# table -> (how to build it, rows expected, columns that name a row)
TABLES = {
    "pbmc_pstat5": (pbmc_pstat5, 1914, ["ligand", "cell", "replicate", "time_min", "dose_nM"]),
    "fc_fusion_pstat5": (fc_fusion_pstat5, 1536, ["experiment_date", "ligand", "cell", "time_min", "dose_nM"]),
    "fc_fusion_affinities": (fc_fusion_affinities, 3, ["ligand"]),
    "yt1_pstat5": (yt1_pstat5, 48, ["ligand", "cell", "dose_nM"]),
    "yt1_surface_il2rb": (yt1_surface_il2rb, 84, ["ligand", "cell", "dose_nM", "time_min"]),
    "yt1_surface_il2rg": (yt1_surface_il2rg, 12, ["ligand", "cell", "dose_nM", "time_min"]),
    "il4_il7_dose_response": (il4_il7_dose_response, 24, ["ligand", "curve", "dose_nM"]),
    "il4_il7_crosstalk": (il4_il7_crosstalk, 30, ["pretreatment_ligand", "curve", "pretreatment_dose_nM"]),
    "published_posterior": (published_posterior, 40, ["chain", "draw"]),
    "multivalent_binding": (multivalent_binding, 48, ["clone", "valency", "dose_nM"]),
    "single_cell_pstat5": (single_cell_pstat5, 1320, ["ligand", "cell", "replicate", "time_min", "dose_nM"]),
    "receptor_moments": (receptor_moments, 80, ["experiment_date", "plate", "cell", "receptor", "other_receptor"]),
}


def check(name: str, table: pd.DataFrame, rows: int, key: list[str]) -> None:
    """Refuse a table with a wrong number of rows, an empty cell or a row named twice."""
    if len(table) != rows:
        raise ValueError(f"{name}: {len(table)} rows where {rows} are expected; the source has changed")
    if table.isna().any(axis=None):
        raise ValueError(f"{name}: empty values in {', '.join(table.columns[table.isna().any()])}")
    if table.duplicated(key).any():
        raise ValueError(f"{name}: the same {', '.join(key)} occurs twice")


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    folder, target = Path(arguments[0]), Path(__file__).resolve().parent
    texts = {}
    try:
        for name, (build, rows, key) in TABLES.items():
            table = build(folder)
            check(name, table, rows, key)
            texts[name] = table.to_csv(index=False, lineterminator="\n")
    except (OSError, KeyError, ValueError) as problem:
        print(f"nothing written: {problem}", file=sys.stderr)
        return 1
    for name, text in texts.items():
        (target / f"{name}.csv").write_text(text, encoding="utf-8", newline="\n")
        print(f"{name}.csv: {text.count(chr(10)) - 1} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
