"""Tables of settings: every field with unit, value, allowed values and meaning, in --help and in the documentation."""

import importlib.util
from pathlib import Path

import pytest

from glacierjax.core.settings import PRESETS, FineTuning, Pretraining, SeriesFineTuning, flat_fields
from glacierjax.core.settings.table import FieldRow, field_rows, help_lines, markdown_tables

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("settings", [FineTuning(), SeriesFineTuning(), Pretraining(), PRESETS["tyrion"]])
def test_every_field_has_a_meaning_and_the_unit_that_its_name_says(settings):
    rows = field_rows(settings)
    assert sorted(row.name for row in rows) == sorted(flat_fields(settings))
    assert [row.name for row in rows if not row.meaning.endswith(".")] == []
    for ending in ("px", "m", "epochs"):
        assert {row.unit for row in rows if row.name.endswith(f"_{ending}")} <= {ending}


def test_a_row_says_what_a_field_is_and_may_be():
    rows = {row.name: row for row in field_rows(FineTuning())}
    unit_meaning = ("px", "Side of a crop, which is the input of the network.")
    context = rows["data.context_px"]
    assert (context.unit, context.meaning[: len(unit_meaning[1])]) == unit_meaning
    assert (context.value, context.allowed) == ("512", "1 or more")
    assert rows["keep"].value == rows["keep"].allowed == "best_iou, best_mde"
    assert rows["augment.zoom_range"][1:4] == ("crop sides", "0.33, 2.83", "low, high: 0.01 or more")
    assert (rows["data.cache"].value, rows["model.remat"].allowed) == ("empty", "True, False")


def test_what_two_classes_share_is_explained_in_one():
    network, model = (
        {row.name: row for row in field_rows(settings)} for settings in (PRESETS["tyrion"], FineTuning().model)
    )
    shared = network.keys() & model.keys()
    assert "dropout" in shared and all(model[name] == network[name] for name in shared)


def test_the_table_has_a_column_for_each_kind():
    lines = markdown_tables([FineTuning(), Pretraining()]).splitlines()
    assert lines[0] == "| field | unit | `FineTuning` | `Pretraining` | allowed | meaning |"
    mask = FieldRow("mask.unit_px", "px", "4", "4 or more", "Patches are hidden in squares of this side.")
    assert f"| `{mask.name}` | {mask.unit} | - | {mask.value} | {mask.allowed} | {mask.meaning} |" in lines
    (kept,) = (line for line in lines if line.startswith("| `keep` |"))
    assert "| best_iou, best_mde / best_loss |" in kept
    assert lines.count("### `data`") == 1


def test_help_names_the_flag_and_the_value():
    line = "  --config.seed: Seed of all random numbers. (0 or more; here: 5)"
    assert line in help_lines(FineTuning(seed=5))


def test_the_page_on_configuration_gets_all_fields():
    spec = importlib.util.spec_from_file_location("hooks", ROOT / "docs/hooks.py")
    assert spec is not None and spec.loader is not None
    hooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hooks)
    page = hooks.on_page_markdown((ROOT / "docs/howto/configs.md").read_text(encoding="utf-8"))
    assert hooks.MARK not in page
    for name in {**flat_fields(FineTuning()), **flat_fields(Pretraining())}:
        assert page.count(f"| `{name}` |") == 1
