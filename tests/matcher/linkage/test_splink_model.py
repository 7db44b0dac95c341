"""A model that Splink saved gives the weights that Splink gives."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from matcher.linkage.splink_model import read_splink_model

RECORDS = Path(__file__).parents[4] / "shared" / "data" / "linkage" / "fake_1000.csv"

TOWN = {
    "output_column_name": "town",
    "comparison_levels": [
        {"sql_condition": '"town_l" IS NULL OR "town_r" IS NULL', "is_null_level": True},
        {"sql_condition": '"town_l" = "town_r"', "m_probability": 0.8, "u_probability": 0.1,
         "tf_adjustment_column": "town", "tf_adjustment_weight": 1.0},
        {"sql_condition": 'levenshtein("town_l", "town_r") <= 1'},
        {"sql_condition": "ELSE", "m_probability": 0.2, "u_probability": 0.8},
    ],
}  # fmt: skip


def model_file(folder: Path, **changes: Any) -> Path:
    path = folder / "model.json"
    content = {"probability_two_random_records_match": 0.2, "comparisons": [TOWN]}
    path.write_text(json.dumps(content | changes), "utf-8")
    return path


def test_weights_add_up(tmp_path: Path) -> None:
    model = read_splink_model(model_file(tmp_path))
    assert model.match_weight({"town": -1}, {}) == pytest.approx(-2)
    assert model.match_weight({"town": 2}, {}) == pytest.approx(-2 + 3)
    assert model.match_weight({"town": 0}, {"town": (0.5, 0.5)}) == pytest.approx(-2 - 2)
    assert model.match_weight({"town": 2}, {"town": (0.025, None)}) == pytest.approx(-2 + 3 + 2)
    assert model.match_weight({"town": 2}, {"town": (0.025, 0.4)}) == pytest.approx(-2 + 3 - 2)
    with pytest.raises(ValueError, match="level 1 of town is not trained"):
        model.match_weight({"town": 1}, {})
    with pytest.raises(ValueError, match="levels are needed of town"):
        model.match_weight({"city": 1}, {})


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    for changes in ({"comparisons": None}, {"probability_two_random_records_match": "x"}):
        with pytest.raises(ValueError, match="is no model that Splink saved"):
            read_splink_model(model_file(tmp_path, **changes))
    with pytest.raises(ValueError, match="is no model that Splink saved"):
        read_splink_model(tmp_path / "none.json")


@pytest.mark.shared
def test_every_weight_is_splinks_own(tmp_path: Path) -> None:
    """Splink's published model for its sample, trained, saved, and scored by both."""
    if find_spec("splink") is None or not RECORDS.is_file():
        pytest.skip("Splink or the shared records are not here")
    from benchmarks import linkage_splink

    linker = linkage_splink.train(linkage_splink.ACCURACY_ANALYSIS, RECORDS)
    linker.misc.save_model_to_json(str(tmp_path / "model.json"))
    model = read_splink_model(tmp_path / "model.json")
    scored = linker.inference.predict().as_record_list()
    compared, untrained = 0, 0
    for row in scored:
        gammas = {name: row[f"gamma_{name}"] for name in model.comparisons}
        columns = [name[3:-2] for name in row if name.startswith("tf_") and name.endswith("_l")]
        shares = {column: (row[f"tf_{column}_l"], row[f"tf_{column}_r"]) for column in columns}
        if any(gamma >= 0 and model.comparisons[name][gamma].weight is None for name, gamma in gammas.items()):
            untrained += 1
            continue
        assert model.match_weight(gammas, shares) == pytest.approx(row["match_weight"], abs=1e-9)
        compared += 1
    assert compared > 3000
    assert untrained < 50
