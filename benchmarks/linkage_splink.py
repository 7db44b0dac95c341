"""Splink's published models for three data sets, as its documentation trains them (Splink 5, DuckDB).

Sources, in Splink's repository: docs/demos/tutorials/04_Estimating_model_parameters, 05_Predicting_results and
docs/demos/examples/duckdb/accuracy_analysis_from_labels_column (fake_1000), deduplicate_50k_synthetic (historical
figures), febrl3 (Febrl). Comparisons, blocking rules, training passes, recall guesses and seeds are theirs; where a
demonstration samples without a seed, one is given here so that figures repeat.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import splink.comparison_library as cl
from numpy.typing import NDArray
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

SEED = 1


@dataclass(frozen=True, slots=True)
class Published:
    """One published model.

    Attributes:
        settings: what `Linker` takes.
        columns: SQL projection of the CSV's columns (all read as text) that the model works on.
        deterministic: rules and their guessed recall, for the prior.
        max_pairs: random pairs for u.
        passes: blocking rules of the EM passes, and whether they leave term frequencies out.
        threshold: match probability at which the demonstration links, or Splink's customary 0.5 where it states none.
    """

    settings: Callable[[], SettingsCreator]
    columns: str
    deterministic: Sequence[Any]
    recall: float
    max_pairs: float
    passes: Sequence[Any]
    without_tf: bool
    threshold: float


@dataclass(frozen=True, slots=True)
class Scored:
    """Pairs that a model scored: row numbers of the CSV (n, 2) with the smaller first, and match probability (n,)."""

    pairs: NDArray[np.int64]
    probability: NDArray[np.float64]


def run(model: Published, path: Path) -> tuple[Scored, Linker]:
    """Train the model on that CSV and score every pair of its blocking rules."""
    linker = train(model, path)
    table = linker.inference.predict().as_duckdbpyrelation().fetchnumpy()
    pairs = np.column_stack([table["row_l"], table["row_r"]]).astype(np.int64)
    return Scored(np.sort(pairs, axis=1), np.asarray(table["match_probability"], np.float64)), linker


def train(model: Published, path: Path) -> Linker:
    """The trained model, with the CSV's row numbers kept in the column `row`."""
    connection = duckdb.connect()
    connection.execute("SET threads = 1")  # so that sampling repeats
    read = connection.read_csv(str(path), all_varchar=True, normalize_names=False, header=True)
    trimmed = ", ".join(f"""nullif(trim("{name}"), '') AS "{name.strip()}" """ for name in read.columns)
    frame = read.project(trimmed).project(f"{model.columns}, row_number() OVER () - 1 AS row")
    api = DuckDBAPI(connection=connection)
    linker = Linker(api.register(connection.from_arrow(frame.to_arrow_table())), model.settings(), log_level=None)
    linker.training.estimate_probability_two_random_records_match(list(model.deterministic), recall=model.recall)
    linker.training.estimate_u_using_random_sampling(max_pairs=model.max_pairs, seed=SEED)
    for rule in model.passes:
        linker.training.estimate_parameters_using_expectation_maximisation(
            rule, estimate_without_term_frequencies=model.without_tf
        )
    return linker


def _tutorial() -> SettingsCreator:
    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            cl.NameComparison("first_name"),
            cl.NameComparison("surname"),
            cl.LevenshteinAtThresholds("dob", 1),
            cl.ExactMatch("city").configure(term_frequency_adjustments=True),
            cl.EmailComparison("email"),
        ],
        blocking_rules_to_generate_predictions=[block_on("first_name", "city"), block_on("surname")],
        additional_columns_to_retain=["row"],
        retain_intermediate_calculation_columns=True,
    )


def _accuracy_analysis() -> SettingsCreator:
    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            cl.ForenameSurnameComparison("first_name", "surname"),
            cl.DateOfBirthComparison("dob", input_is_string=True),
            cl.ExactMatch("city").configure(term_frequency_adjustments=True),
            cl.EmailComparison("email"),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("first_name"), block_on("surname"), block_on("dob"), block_on("email"),
        ],
        additional_columns_to_retain=["row"],
        retain_intermediate_calculation_columns=True,
    )  # fmt: skip


def _historical() -> SettingsCreator:
    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            cl.ForenameSurnameComparison(
                "first_name", "surname", forename_surname_concat_col_name="first_name_surname_concat"
            ),
            cl.DateOfBirthComparison("dob", input_is_string=True),
            cl.PostcodeComparison("postcode_fake"),
            cl.ExactMatch("birth_place").configure(term_frequency_adjustments=True),
            cl.ExactMatch("occupation").configure(term_frequency_adjustments=True),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("substr(first_name,1,3)", "substr(surname,1,4)"),
            block_on("surname", "dob"),
            block_on("first_name", "dob"),
            block_on("postcode_fake", "first_name"),
            block_on("postcode_fake", "surname"),
            block_on("dob", "birth_place"),
            block_on("substr(postcode_fake,1,3)", "dob"),
            block_on("substr(postcode_fake,1,3)", "first_name"),
            block_on("substr(postcode_fake,1,3)", "surname"),
            block_on("substr(first_name,1,2)", "substr(surname,1,2)", "substr(dob,1,4)"),
        ],
        additional_columns_to_retain=["row"],
        retain_intermediate_calculation_columns=True,
    )


def _febrl() -> SettingsCreator:
    return SettingsCreator(
        unique_id_column_name="rec_id",
        link_type="dedupe_only",
        comparisons=[
            cl.NameComparison("given_name"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d"),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", [2]),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.ExactMatch("postcode").configure(term_frequency_adjustments=True),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("soc_sec_id"), block_on("given_name"), block_on("surname"), block_on("date_of_birth"),
            block_on("postcode"),
        ],
        additional_columns_to_retain=["row"],
        retain_intermediate_calculation_columns=True,
    )  # fmt: skip


FAKE_COLUMNS = "unique_id, first_name, surname, dob, city, email"
TUTORIAL = Published(
    _tutorial, FAKE_COLUMNS,
    [
        block_on("first_name", "dob"),
        "l.first_name = r.first_name and levenshtein(r.surname, l.surname) <= 2",
        block_on("email"),
    ],
    recall=0.7, max_pairs=2e6, passes=[block_on("first_name", "surname"), block_on("dob")], without_tf=False,
    threshold=0.2,
)  # fmt: skip
ACCURACY_ANALYSIS = Published(
    _accuracy_analysis, FAKE_COLUMNS,
    [
        "l.first_name = r.first_name and levenshtein(r.dob, l.dob) <= 1",
        "l.surname = r.surname and levenshtein(r.dob, l.dob) <= 1",
        "l.first_name = r.first_name and levenshtein(r.surname, l.surname) <= 2",
        "l.email = r.email",
    ],
    recall=0.7, max_pairs=1e6, passes=[block_on("dob"), block_on("email"), block_on("first_name", "surname")],
    without_tf=True, threshold=0.5,
)  # fmt: skip
HISTORICAL = Published(
    _historical,
    "unique_id, first_name, surname, dob, birth_place, postcode_fake, occupation, "
    "first_name || ' ' || surname AS first_name_surname_concat",
    [
        block_on("first_name", "surname", "dob"),
        block_on("substr(first_name,1,2)", "surname", "substr(postcode_fake,1,2)"),
        block_on("dob", "postcode_fake"),
    ],
    recall=0.6, max_pairs=1e7, passes=[block_on("first_name", "surname"), block_on("dob")], without_tf=True,
    threshold=0.95,
)  # fmt: skip
FEBRL = Published(
    _febrl, "rec_id, given_name, surname, date_of_birth, soc_sec_id, street_number, postcode",
    [
        block_on("soc_sec_id"),
        block_on("given_name", "surname", "date_of_birth"),
        "l.given_name = r.surname and l.surname = r.given_name and l.date_of_birth = r.date_of_birth",
    ],
    recall=0.9, max_pairs=1e6, passes=[block_on("date_of_birth"), block_on("postcode")], without_tf=False,
    threshold=0.2,
)  # fmt: skip
