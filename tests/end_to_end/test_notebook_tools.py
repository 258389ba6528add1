"""The functions for notebooks: commands, folders, pictures and reports."""

import signal
import subprocess
import sys
import time
from types import ModuleType

import numpy as np
import pytest
from small_world import SCENES

from glacierjax import notebook
from glacierjax.core.errors import InputError
from glacierjax.core.files import write_png
from glacierjax.terminus.fronts import read_fronts

PATIENCE_S = 60


def test_a_command_is_shown_with_its_lines_as_it_would_be_typed(capfd):
    notebook.run("glacierjax.compare", "--help")
    printed = capfd.readouterr()
    assert printed.out.startswith("$ python -m glacierjax.compare --help\nCompares two methods") and printed.err == ""


def test_a_command_that_fails_fails_the_cell_after_its_own_words(capfd):
    with pytest.raises(InputError, match=r"python -m glacierjax.train: failed with exit code 2"):
        notebook.run("glacierjax.train", "--config=configs/demo.py")
    assert "train: --workdir: missing" in capfd.readouterr().out


def test_an_interrupted_cell_asks_its_command_to_end_and_waits(tmp_path):
    """The cell is a process here; only it gets the interrupt."""
    (tmp_path / "slow.py").write_text(
        "import signal, sys, time\n"
        "def end(*_):\n    print('saved', flush=True); sys.exit(143)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('busy', flush=True)\n"
        "time.sleep(600)\n"
    )
    heeds = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "  # even if these tests do not
    code = heeds + "from glacierjax.notebook import run; run('slow')"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as cell:
        assert cell.stdout is not None
        assert [cell.stdout.readline() for _ in range(2)] == ["$ python -m slow\n", "busy\n"]
        time.sleep(0.1)  # until it waits for the next line
        cell.send_signal(signal.SIGINT)
        try:
            rest, error = cell.communicate(timeout=PATIENCE_S)
        finally:
            cell.kill()
    assert rest == "saved\n" and error.splitlines()[-1] == "KeyboardInterrupt"


def test_outside_colab_the_folder_is_below_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = notebook.workdir("run")
    assert folder == tmp_path / "workdir" / "run" and folder.is_dir() and notebook.workdir("run") == folder


def test_in_colab_the_folder_is_on_the_drive_once_that_is_mounted(tmp_path, monkeypatch):
    mounted = []
    drive = ModuleType("google.colab.drive")
    drive.mount = mounted.append  # type: ignore[attr-defined]
    for module in (ModuleType("google"), ModuleType("google.colab"), drive):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(notebook, "DRIVE", tmp_path / "drive")
    assert notebook.workdir("run") == tmp_path / "drive" / "MyDrive" / "glacierjax" / "run"
    assert mounted == [str(tmp_path / "drive")]


def test_pictures_are_the_first_of_a_folder(tmp_path):
    for number in range(3):
        write_png(tmp_path / f"{number}.png", np.full((90, 90), 50 * number, np.uint8))
    both = np.asarray(notebook.pictures(tmp_path, at_most=2, tile_px=100))
    assert both.shape == (100, 200, 3) and both[50, 50].tolist() == [0] * 3 and both[50, 150].tolist() == [50] * 3


def test_a_folder_without_pictures_is_named(tmp_path):
    (tmp_path / "other.txt").write_text("")
    for folder, told in ((tmp_path / "none", "no such folder"), (tmp_path, "contains no PNG files")):
        with pytest.raises(InputError, match=f"{folder}: {told}"):
            notebook.pictures(folder)


def test_a_report_is_framed_so_that_its_style_stays_inside(tmp_path):
    (tmp_path / "report.html").write_text('<p class="a">5 < 6</p>')
    shown = notebook.report(tmp_path)._repr_html_()
    assert 'srcdoc="&lt;p class=&quot;a&quot;&gt;5 &lt; 6&lt;/p&gt;"' in shown


def test_a_missing_report_is_named(tmp_path):
    with pytest.raises(InputError, match=r"report.html: no such file; run glacierjax evaluate"):
        notebook.report(tmp_path)


def test_labelled_scenes_become_geotiffs_and_a_shapefile_of_some_fronts(data_raw, tmp_path):
    pytest.importorskip("pyogrio", reason="the extra [vector] is not installed")
    names = SCENES["train"]
    glacier = names[0].split("_")[0]
    shapefile = notebook.as_geotiffs(data_raw, "train", glacier, 2, tmp_path / "scenes")
    own = [name for name in names if name.startswith(glacier)]
    assert sorted(file.stem for file in (tmp_path / "scenes").iterdir()) == sorted(own)
    lines = read_fronts([str(shapefile)])
    assert len(lines) == 2 and {line.glacier for line in lines} == {glacier}
