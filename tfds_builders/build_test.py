"""The build command: what it finds, says and leaves behind."""

import shutil
from pathlib import Path

import pytest

from tfds_builders.build import main
from tfds_builders.caffe.make_dummy_data import DUMMY_DATA, SCENES, data_raw_files, write_zip


@pytest.fixture
def manual_dir(tmp_path) -> Path:
    (tmp_path / "manual").mkdir()
    shutil.copy(DUMMY_DATA / "data_raw.zip", tmp_path / "manual")
    return tmp_path / "manual"


@pytest.fixture
def run(tmp_path, manual_dir, monkeypatch, capsys):
    """Runs the command in another directory; gives exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run_in_tmp(*flags: str, dataset: str = "tfds_builders/caffe", manual: Path | None = manual_dir):
        where = [f"--manual_dir={manual}"] if manual else []
        code = main([dataset, "--data_dir=data", *where, *flags])
        return code, *capsys.readouterr()

    return run_in_tmp


def built() -> list[str]:
    return sorted(str(path.parent.relative_to("data/caffe")) for path in Path("data").rglob("dataset_info.json"))


def test_only_what_manual_dir_holds_is_built(run, manual_dir):
    code, out, err = run()
    assert (code, err) == (0, "")
    assert "caffe/scenes/1.0.0: done (3 train, 1 val, 2 test)" in out
    assert "class NA (grey value 0) means: a zone" in out
    assert built() == ["scenes/1.0.0"]
    shutil.copy(DUMMY_DATA / "caffe.zip", manual_dir)
    assert run()[0] == 0
    assert built() == ["chips/1.0.0", "scenes/1.0.0"]


def test_building_again_says_so_and_changes_nothing(run):
    run()
    before = {path: path.stat().st_mtime_ns for path in Path("data/caffe/scenes/1.0.0").iterdir()}
    code, out, _ = run()
    assert code == 0
    assert "already built" in out
    assert {path: path.stat().st_mtime_ns for path in Path("data/caffe/scenes/1.0.0").iterdir()} == before


def test_overwrite_builds_anew(run, manual_dir):
    run()
    left_out = SCENES["train"][2]
    fewer = {name: content for name, content in data_raw_files().items() if left_out not in name}
    write_zip(manual_dir / "data_raw.zip", fewer)
    code, out, _ = run("--overwrite")
    assert (code, "2 train, 1 val, 2 test" in out) == (0, True)
    assert [path.name for path in Path("data/caffe/scenes").iterdir()] == ["1.0.0"]


def test_failed_overwrite_keeps_the_old_data_set(run, manual_dir):
    run()
    bad = {name: b"" if SCENES["test"][1] in name else content for name, content in data_raw_files().items()}
    write_zip(manual_dir / "data_raw.zip", bad)
    assert run("--overwrite")[0] == 2
    assert [path.name for path in Path("data/caffe/scenes").iterdir()] == ["1.0.0"]
    assert "already built" in run()[1]


def test_options_make_a_config_of_their_own(run):
    code, out, _ = run("--na=unlabelled", "--test_glaciers=JAC,DBE")
    assert code == 0
    assert "test: JAC, DBE (chosen)" in out
    assert built() == ["scenes-na_unlabelled-test_glaciers_JAC_DBE/1.0.0"]


def test_switch_before_the_data_set_is_not_mistaken(run, manual_dir):
    bad = {name: b"" if SCENES["train"][3] in name else content for name, content in data_raw_files().items()}
    write_zip(manual_dir / "data_raw.zip", bad)
    assert main(["--allow_bad", "tfds_builders/caffe", "--data_dir=data", f"--manual_dir={manual_dir}"]) == 0
    code, out, _ = run("--allow_bad", "--overwrite")
    assert (code, "1 skipped:" in out, SCENES["train"][3] in out) == (0, True, True)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--bogus"], "unknown flag --bogus; there are: --allow_bad"),
        (["--na=maybe"], "--na=maybe: value should be one of"),
        (["--config=x"], "--config=x: unknown; choose one of scenes, chips"),
        (["--test_glaciers=XXX"], "no labelled scene of 'XXX'"),
        (["--num_shards=many"], "--num_shards"),
        (["--config={"], "--config={"),
        (["--config_idx=7"], "--config_idx=7"),
        (["--config=chips"], "nothing for the config chips"),
        (["--resample"], "--resample: not an option of caffe"),
    ],
)
def test_wrong_flags_give_one_line_and_exit_code_2(run, flags, message):
    code, _, err = run(*flags)
    assert code == 2
    assert err.count("\n") == 1 and message in err
    assert built() == []


def test_wrong_places_give_one_line_and_exit_code_2(run, tmp_path):
    (tmp_path / "empty").mkdir()
    for manual, message in [
        (Path("none"), "no such folder"),
        (tmp_path / "empty", "get data_raw.zip"),
        (None, "get data_raw.zip"),
    ]:
        code, _, err = run(manual=manual)
        assert (code, err.count("\n"), message in err) == (2, 1, True)
    code, _, err = run(dataset="tfds_builders/cafe")
    assert (code, err.count("\n"), "there are: tfds_builders/caffe" in err) == (2, 1, True)


def test_bad_scene_gives_one_line_that_names_the_file(run, manual_dir):
    bad = {name: b"" if "zones/train/JAC" in name else content for name, content in data_raw_files().items()}
    write_zip(manual_dir / "data_raw.zip", bad)
    code, _, err = run()
    assert code == 2
    assert err.count("\n") == 1 and f"zones/train/{SCENES['train'][3]}_zones.png" in err and "--allow_bad" in err
    assert built() == []
