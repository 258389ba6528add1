"""Networks go to a hub and come back as they were; what goes wrong on the way is one line, and nothing is half loaded."""

import logging
import shutil
import sys

import pytest
from helpers import run_here
from hub_server import COMMIT, running_hub
from official_like import tiny_params

from glacierjax.checkpoints.calibration_file import CALIBRATION, fingerprint
from glacierjax.checkpoints.exported import push, write_export
from glacierjax.checkpoints.hub import CARD, HubName, download, parse_hub_name, shown_checkpoint
from glacierjax.checkpoints.native import load_checkpoint, save_checkpoint
from glacierjax.checkpoints.safetensors_file import WEIGHTS
from glacierjax.core.errors import InputError
from glacierjax.core.files import is_hub_name
from glacierjax.core.settings import PRESETS

NAME = "hf://me/fronts"


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A folder that `glacierjax export` wrote."""
    folder = tmp_path_factory.mktemp("run")
    record = {"task": "segmentation", "model": PRESETS["tiny"].to_json(), "metrics": {}, "config": {}}
    save_checkpoint(folder / "checkpoint", tiny_params("tyrion"), record)
    write_export(load_checkpoint(folder / "checkpoint"), folder / "shared")
    return folder / "shared"


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A hub for this test alone, with a cache of its own, and a user who is logged in."""
    constants = pytest.importorskip("huggingface_hub.constants", reason="the extra [hub] is not installed")
    with running_hub() as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("HF_TOKEN", "hf_" + "x" * 34)
        yield server


def held(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir() if not file.name.startswith(".")}


@pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")  # between huggingface_hub and its HTTP client
def test_a_network_comes_back_as_it_was_pushed(hub, shared, tmp_path, caplog):
    folder = shutil.copytree(shared, tmp_path / "mine")
    (folder / "notes.txt").write_text("private")
    with caplog.at_level(logging.WARNING, logger="glacierjax"):
        name = push(folder, NAME, private=True)
    assert "names no licence" in caplog.text
    assert hub.created.get("visibility") == "private" or hub.created["private"]  # versions of huggingface_hub differ
    assert name == f"{NAME}@{COMMIT}" and set(hub.files) == {WEIGHTS, CARD}
    found = load_checkpoint(name)
    assert fingerprint(found.params) == fingerprint(load_checkpoint(shared).params)
    assert found.record == load_checkpoint(shared).record
    assert shown_checkpoint(found.path) == name and shown_checkpoint(folder) == str(folder)


def test_what_is_in_the_cache_needs_no_connection(hub, shared, monkeypatch):
    hub.files = {**held(shared), "run.py": b"import os"}
    first = download(NAME)
    assert {file.name for file in first.iterdir()} == {WEIGHTS, CARD}, "nothing else is taken from a stranger"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")  # nobody answers there
    assert download(NAME) == download(f"{NAME}@{COMMIT}") == first
    with pytest.raises(InputError, match=r"hf://me/other: http://127.0.0.1:9 cannot be reached; check the network"):
        download("hf://me/other")
    with pytest.raises(InputError, match=r"cannot be reached; check the network"):
        push(shared, NAME)


@pytest.mark.parametrize("spoiled", ["shorter", "other bytes"])
def test_a_broken_download_is_repeated_or_named_and_never_loaded(hub, shared, spoiled):
    hub.files = held(shared)
    attempts = []

    def spoil(name, content, healthy_from=1):
        if name != WEIGHTS:
            return content
        attempts.append(name)
        if len(attempts) > healthy_from:
            return content
        return content[:-100] if spoiled == "shorter" else content[:-1] + bytes([content[-1] ^ 1])

    hub.spoil = lambda name, content: spoil(name, content, 100)
    with pytest.raises(
        InputError, match=r"hf://me/fronts: the download is not whole after 2 attempts \(.*\); try again"
    ):
        load_checkpoint(NAME)
    attempts.clear()
    hub.spoil = spoil
    assert fingerprint(load_checkpoint(NAME).params) == fingerprint(load_checkpoint(shared).params)
    assert len(attempts) == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hf://me/nothing", r"hf://me/nothing: not on http://127.*, or private; check the name, or log in"),
        ("hf://me/fronts@v9", r"me/fronts has no branch, tag or commit v9"),
        ("hf://me", r"expected hf://OWNER/NAME or hf://OWNER/NAME@REVISION"),
        ("hf://me/a/b", r"expected hf://OWNER/NAME or hf://OWNER/NAME@REVISION"),
        ("hf://me/fr--onts", r"no name of a network on the hub"),
        ("hf://me/fronts", r"no model.safetensors in it; choose a network that glacierjax export wrote"),
    ],
)
def test_names_without_a_network_are_one_line(hub, name, message):
    hub.files = {CARD: b"# something else"}
    with pytest.raises(InputError, match=message) as caught:
        load_checkpoint(name)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_pushed_is_told(hub, shared, tmp_path, monkeypatch):
    (tmp_path / CALIBRATION).write_text("{}")
    with pytest.raises(InputError, match=r"no model.safetensors in it; give a folder that glacierjax export wrote"):
        push(tmp_path, NAME)
    with pytest.raises(InputError, match="uploads go to the main branch; leave @v1 out"):
        push(shared, f"{NAME}@v1")
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(InputError, match=r"log in \(hf auth login\), or set HF_TOKEN"):
        push(shared, NAME)
    assert not hub.files


def test_without_the_extra_the_next_step_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(InputError, match=r"needs the extra \[hub\]; pip install 'glacierjax\[hub\]'"):
        load_checkpoint(NAME)


def test_names_are_told_from_paths():
    assert is_hub_name(NAME) and not is_hub_name("hf/me/fronts") and not is_hub_name("runs/hf:/x")
    assert parse_hub_name("hf:/me/fronts@v1.0") == HubName("me/fronts", "v1.0")
    assert str(parse_hub_name(f"{NAME}@main")) == f"{NAME}@main"


def test_the_command_ends_with_one_line_and_exit_code_2(tmp_path):
    done = run_here("glacierjax.push", f"--folder={tmp_path}", f"--name={NAME}")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "no model.safetensors" in done.stderr
