"""Config files: where they are found, which fields they may set, and how flags change them."""

import ast
import dataclasses
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from glacierjax.core.errors import InputError
from glacierjax.core.settings import FineTuning, Pretraining, SeriesFineTuning, flat_fields
from glacierjax.model import Tyrion, preset
from glacierjax.recipes.configs import checked_arguments, config_of, fields_help, find_config, load_config, settings_of
from glacierjax.simulate.archive import ArchiveOptions

SHIPPED = sorted(f"configs/{path.name}" for path in Path(__file__).parents[2].glob("configs/[!_]*.py"))
START = "from glacierjax.core.settings import FineTuning\nfrom glacierjax.recipes.configs import config_of\n"


@pytest.fixture
def elsewhere(tmp_path, monkeypatch) -> Path:
    """Another working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_config_loads_from_anywhere_and_stands_alone(elsewhere, name):
    settings = settings_of(load_config(name))
    assert isinstance(settings, Pretraining if "pretrain" in name else FineTuning)
    text = find_config(name).read_text()
    assert "load_config" not in text, "no chain of files"
    assert (f"glacierjax train --config={name} " in text and "mean distance error" in text) or "No table" in text


def test_the_published_configs_are_the_defaults():
    assert settings_of(load_config("configs/finetune_caffe.py")) == FineTuning()
    assert settings_of(load_config("configs/pretrain_optsimmim.py")) == Pretraining()
    ours, base = (
        flat_fields(s) for s in (settings_of(load_config("configs/pretrain_opttranslator.py")), Pretraining())
    )
    changed = {name: value for name, (value, _) in ours.items() if value != base[name][0]}
    assert changed == {"task": "opttranslator", "early_stop_epochs": 100, "optimizer.learning_rate": 0.005}


def test_the_published_series_are_the_defaults_and_go_on_with_the_decoder_that_they_pretrain():
    tuned = settings_of(load_config("configs/finetune_series.py"))
    assert tuned == SeriesFineTuning()
    pretrained, single = (settings_of(load_config(f"configs/pretrain_{x}.py")) for x in ("series", "opttranslator"))
    assert dataclasses.replace(pretrained, model=single.model) == single
    assert dataclasses.replace(pretrained.model.network(), temporal="gru") == tuned.model.network()


def test_the_demo_goes_on_with_the_network_that_it_pretrains():
    tuned, pretrained = (settings_of(load_config(f"configs/{name}.py")) for name in ("demo", "demo_pretrain"))
    assert tuned.model == pretrained.model and tuned.data.context_px == pretrained.data.context_px


def test_the_demo_says_what_it_trains():
    text = " ".join((ast.get_docstring(ast.parse(find_config("configs/demo.py").read_text())) or "").split())
    for name in ("demo", "demo_pretrain"):
        run = settings_of(load_config(f"configs/{name}.py"))
        steps, side = run.num_epochs * run.steps_per_epoch, run.data.context_px
        assert f"{steps:,} steps of {run.batch_size} crops of {side} x {side} pixels" in text
    network = Tyrion(**preset(run.model.preset))
    params = jax.eval_shape(network.init, jax.random.key(0), jnp.zeros((1, side, side, 1)))
    count = sum(leaf.size for leaf in jax.tree.leaves(params))
    assert f"the preset `{run.model.preset}`, {count / 1e6:.2f} million parameters" in text
    archive = ArchiveOptions(scenes=160)  # as in the Makefile
    assert archive.scenes_of("train") == 108 + 12 and "on 108 simulated scenes" in text and "12 more scenes" in text
    assert f"{archive.scenes_of('test')} simulated scenes of two glaciers" in text


@pytest.mark.parametrize("flag", [["--config=configs/demo.py"], ["--config", "configs/demo.py"]])
def test_help_with_a_config_lists_its_fields(flag):
    text = fields_help(["train", *flag, "--help"])
    assert re.search(r"--config\.data\.context_px: .*\(px; 1 or more; here: 96\)", text)
    assert fields_help(["train", "--workdir=RUN"]) == ""


def test_a_config_gives_back_the_settings_that_it_is_made_of():
    for settings in (FineTuning(), SeriesFineTuning(), Pretraining()):
        assert settings_of(config_of(settings)) == settings


def test_a_file_in_the_working_directory_goes_before_the_packages(elsewhere):
    own = elsewhere / "configs" / "demo.py"
    own.parent.mkdir()
    own.write_text(START + "def get_config():\n    return config_of(FineTuning(seed=5))\n")
    assert find_config("configs/demo.py") == own
    assert settings_of(load_config("configs/demo.py")).seed == 5
    assert find_config("configs/demo_real.py").is_file()


def test_a_missing_file_is_named_with_those_that_are_there(elsewhere):
    with pytest.raises(InputError, match=r"--config=configs/dmo.py: no such file; .*configs/demo.py"):
        find_config("configs/dmo.py")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("config = 1\n", "not a configuration file"),
        ("def get_config(:\n", "SyntaxError"),
        ("import nothing\n", "nothing"),
        ("def get_config():\n    return {}\n", "gives no ml_collections.ConfigDict"),
        (
            START + "def get_config():\n    config = config_of(FineTuning())\n    config.optimizer.learning_rat = 1\n"
            "    return config\n",
            "learning_rat.*learning_rate",
        ),
        (
            START
            + "def get_config():\n    config = config_of(FineTuning())\n    config.num_epochs = 'many'\n    return config\n",
            "TypeError",
        ),
    ],
    ids=["no function", "syntax", "import", "no config", "mistyped field", "wrong type"],
)
def test_a_file_with_a_mistake_is_named_in_one_line(elsewhere, text, told):
    (elsewhere / "x.py").write_text(text)
    with pytest.raises(InputError, match=rf"x.py: .*{told}") as caught:
        checked_arguments(["train", "--config=x.py"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "argument", ["--config=configs/demo.py", "-config=configs/demo.py", "--config configs/demo.py"]
)
def test_the_command_line_gets_the_file_that_is_meant(elsewhere, argument):
    argv = ["train", *argument.split(), "--config.seed=3"]
    out = checked_arguments(argv)
    assert out[-1] == "--config.seed=3"
    assert out[-2].removeprefix("--config=") == str(find_config("configs/demo.py"))


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("sed=1", r"--config.sed: no such field; did you mean --config.seed\?; --config has: .*seed"),
        ("optimizer.rate=1", r"--config.optimizer.rate: no such field; .*--config.optimizer has: .*learning_rate"),
        ("seed.x=1", r"--config.seed.x: no such field; --config.seed has: no fields"),
    ],
)
def test_a_field_that_is_not_there_is_named_with_those_that_are(field, told):
    with pytest.raises(InputError, match=told):
        checked_arguments(["train", "--config=configs/demo.py", f"--config.{field}"])


def test_a_field_without_a_file_is_refused():
    with pytest.raises(InputError, match=r"--config.num_epochs: .* give --config="):
        checked_arguments(["train", "--workdir=run", "--config.num_epochs=4"])
