# Everything a fresh clone needs; each target makes its own virtual environment first.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/ready
OUT ?= real
SEEDS ?= 1 2
# The network of `make real` uses two cores best as two devices.
ON_TWO_CORES := XLA_FLAGS=--xla_force_host_platform_device_count=2

.PHONY: demo test test-all test-faults test-torch bench bench-memory lint real venv clean

demo: venv ## from nothing over a short pretraining to a report, on simulated scenes
	rm -rf demo
	$(RUN) -m glacierjax.simulate --output=demo/archive --scenes=160
	$(RUN) -m tfds_builders.build tfds_builders/ssl4sar --data_dir=demo/data --manual_dir=demo/archive/ssl4sar
	$(RUN) -m tfds_builders.build tfds_builders/caffe --data_dir=demo/data --manual_dir=demo/archive/data_raw
	$(RUN) -m glacierjax.train --config=configs/demo_pretrain.py --config.data.dir=demo/data \
	  --workdir=demo/pretrained
	$(RUN) -m glacierjax.train --config=configs/demo.py --config.data.dir=demo/data \
	  --config.init.checkpoint=demo/pretrained --workdir=demo/run
	$(RUN) -m glacierjax.evaluate --workdir=demo/run --which=last --mode=whole --rotations \
	  --output=demo/report --baselines

real: venv ## builds, trains and scores on a data_raw folder of real imagery: make real DATA=DIR [OUT=DIR] [SEEDS="1 2 3"]
	@test -n "$(DATA)" || { echo "make real: DATA is missing; name a data_raw folder: make real DATA=DIR" >&2; exit 2; }
	$(RUN) -m tfds_builders.build tfds_builders/caffe --data_dir=$(OUT)/data --manual_dir=$(DATA) --na=auto
	for seed in $(SEEDS); do $(ON_TWO_CORES) $(RUN) -m glacierjax.train --config=configs/demo_real.py --config.seed=$$seed \
	  --config.data.dir=$(OUT)/data --workdir=$(OUT)/run$$seed || exit; done
	$(RUN) -m glacierjax.evaluate $(SEEDS:%=--workdir=$(OUT)/run%) --which=last --output=$(OUT)/report --baselines

test: lint ## what CI runs
	$(RUN) -m pytest -m "not slow and not torch"

test-all: lint ## the long checks too
	$(RUN) -m pytest -m "not torch"

bench: venv ## speed, both sides of each comparison in one run
	$(RUN) benchmarks/speed.py

bench-memory: venv ## the most memory that one scene of 10,000 x 10,000 pixels takes
	$(RUN) benchmarks/large_scene.py

test-faults: venv ## kills a training at 20 random moments; the end must be the same bit for bit
	$(RUN) tests/kill_training.py

test-torch: venv ## reading and writing files of the real PyTorch and Lightning, in an environment of their own
	$(PYTHON) -m venv .venv-torch
	.venv-torch/bin/pip install -q torch==2.13.0 lightning
	.venv-torch/bin/pip install -q -e .[test]
	.venv-torch/bin/python -m pytest -m torch

lint: venv
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/pyright

venv: $(READY)

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; v >= (3, 11) or sys.exit(f"Python 3.11 or newer is needed, this is {v[0]}.{v[1]}; set PYTHON=python3.12 or so")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install -q -e ".[test]"
	touch $(READY)

clean:
	rm -rf $(VENV) .venv-torch demo chain build *.egg-info .pytest_cache .ruff_cache .hypothesis
