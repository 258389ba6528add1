"""The study of real imagery: the scenes without labels, its commands and its table."""

import json
from pathlib import Path

import pytest

from glacierjax.recipes.configs import check_field, load_config

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def study(script):
    return script("real_imagery", "without_labels")


def test_the_images_without_labels_are_in_the_layout_of_ssl4sar_and_in_one_split_each(study, tmp_path):
    images = tmp_path / "data_raw" / "sar_images" / "train"
    images.mkdir(parents=True)
    for number in range(20):
        (images / f"KAN_2001-07-{number + 1:02d}_LS7_49_1_{number:03d}.png").write_bytes(b"")
    study.link_without_labels(tmp_path / "data_raw", tmp_path / "ssl4sar")
    links = {folder.name: sorted(file.name for file in folder.iterdir()) for folder in (tmp_path / "ssl4sar").iterdir()}
    assert links["unlabeled_data_raw_val"] == ["LS7_KAN_2001-07-01_49_1_000.png", "LS7_KAN_2001-07-11_49_1_010.png"]
    assert len(links["unlabeled_data_raw_train"]) == 18


def test_fine_tunings_differ_in_their_start_alone_and_set_fields_that_exist(study, tmp_path):
    config = load_config(str(REPOSITORY / "configs" / "finetune_caffe.py"))
    for labels in study.LABELS:
        scratch, simmim = (set(study.tuned(tmp_path, arm, labels, 1)[0].flags) for arm in study.ARMS)
        differing = {flag.split("=")[0] for flag in scratch ^ simmim}
        assert differing == {"--workdir", "--config.init.checkpoint"}
        for flag in simmim:
            if flag.startswith("--config."):
                check_field(config, flag.removeprefix("--config.").split("=")[0])


def test_the_table_counts_the_seeds_that_both_starts_have(study, tmp_path):
    def score(arm, seed, mde_px):
        report = study.workdir_of(tmp_path, arm, 5, seed) / "report"
        report.mkdir(parents=True)
        metrics = {"mde_px": mde_px, "missing_fronts": seed, "zones": {"iou": {"mean": 0.5}}}
        (report / "metrics.json").write_text(json.dumps(metrics))

    for seed in (1, 2):
        score("scratch", seed, 10.0 * seed)
        score("SimMIM", seed, 5.0 * seed)
    score("scratch", 3, 99.0)
    rows = study.write_table(tmp_path).splitlines()
    assert rows[2] == "| 5 | scratch | 10.0 20.0 | 15.0 | 1 2 | 0.500 |  |"
    assert rows[3].startswith("| 5 | SimMIM | 5.0 10.0 | 7.5 | 1 2 | 0.500 | 0.")
    assert rows[4] == "| 20 | scratch |  | --- |  | --- |  |"
