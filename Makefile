# Everything that a fresh clone needs. Each target makes the virtual environment first.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/ready
VENV_TORCH := .venv-torch
READY_TORCH := $(VENV_TORCH)/ready
OUT ?= real
SEEDS ?= 1 2

# Two processes share the tests; tests/conftest.py decides which takes which file.
PYTEST := $(RUN) -m pytest -n 2
# Parts whose tests compile no network.
QUICK := $(addprefix tests/,core datasets fronts geo terminus test_colab_files.py test_floors.py)

.PHONY: demo real test tests quick test-all test-faults test-torch bench bench-memory bench-torch lint style types docs lock venv clean

demo: venv ## simulated scenes, a short pretraining, fine-tuning, report
	rm -rf demo
	$(RUN) -m glacierjax.simulate --output=demo/archive --scenes=160
	$(RUN) -m tfds_builders.build tfds_builders/ssl4sar --data_dir=demo/data --manual_dir=demo/archive/ssl4sar
	$(RUN) -m tfds_builders.build tfds_builders/caffe --data_dir=demo/data --manual_dir=demo/archive/data_raw
	$(RUN) -m glacierjax.train --config=configs/demo_pretrain.py --config.data.dir=demo/data \
	  --workdir=demo/pretrained
	$(RUN) -m glacierjax.train --config=configs/demo.py --config.data.dir=demo/data --config.data.workers=2 \
	  --config.init.checkpoint=demo/pretrained --workdir=demo/run
	$(RUN) -m glacierjax.evaluate --checkpoint=demo/run --rotations --output=demo/report --baselines

# Two networks train side by side, each on one core.
real: venv ## builds, trains and scores on a data_raw folder of real imagery: make real DATA=DIR [OUT=DIR] [SEEDS="1 2 3"]
	@test -n "$(DATA)" || { echo "make real: DATA is missing; name a data_raw folder: make real DATA=DIR" >&2; exit 2; }
	$(RUN) -m tfds_builders.build tfds_builders/caffe --data_dir=$(OUT)/data --manual_dir=$(DATA) --na=auto
	printf '%s\n' $(SEEDS) | xargs -P 2 -I{} $(RUN) -m glacierjax.train --config=configs/demo_real.py --config.seed={} \
	  --config.data.dir=$(OUT)/data --workdir=$(OUT)/run{}
	$(RUN) -m glacierjax.evaluate $(SEEDS:%=--checkpoint=$(OUT)/run%) --which=last --mode=whole --rotations --output=$(OUT)/report --baselines

# The type checker runs beside the tests, as it keeps one core busy for a minute.
test: style ## what CI runs
	$(MAKE) --no-print-directory -j 2 types tests

tests: venv
	$(PYTEST) -m "not slow and not torch"

quick: lint ## lint, and the tests that compile no network
	$(PYTEST) -m "not slow and not torch" $(QUICK)

test-all: lint ## the long checks too
	$(PYTEST) -m "not torch"

docs: venv ## the documentation site, in site/; a broken link fails
	NO_MKDOCS_2_WARNING=1 $(RUN) -m mkdocs build --strict

lock: venv ## the newest versions that fit pyproject.toml, for all Pythons, into constraints.txt
	$(VENV)/bin/pip install -q uv
	$(VENV)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-annotate --extra test \
	  --no-emit-package glacierjax --custom-compile-command "make lock" pyproject.toml --output-file constraints.txt

bench: venv ## speed, both sides of each comparison in one run
	$(RUN) benchmarks/speed.py
	$(RUN) benchmarks/bulk.py
	$(RUN) benchmarks/feeding.py

bench-memory: venv ## the most memory that a scene of 10,000 x 10,000 pixels takes, and a series of eight
	$(RUN) benchmarks/large_scene.py
	$(RUN) benchmarks/large_scene.py --series

test-faults: venv ## kills a training at 20 random moments; the end must be the same bit for bit
	$(RUN) tests/kill_training.py

bench-torch: $(READY_TORCH) ## the published network beside the same in PyTorch, one crop and four; half an hour on two cores
	$(VENV_TORCH)/bin/python benchmarks/gpu.py --size=published --batch=1 --dtypes float32 --no_compile
	$(VENV_TORCH)/bin/python benchmarks/gpu.py --size=published --batch=4 --dtypes float32 --no_compile

test-torch: $(READY_TORCH) ## reading and writing files of the real PyTorch and Lightning
	$(VENV_TORCH)/bin/python -m pytest -m torch

lint: style types

style: venv
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: venv
	$(VENV)/bin/pyright

venv: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; v >= (3, 11) or sys.exit(f"Python 3.11 or newer is needed, this is {v[0]}.{v[1]}; set PYTHON=python3.12 or so")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install -q -c constraints.txt -e ".[test]"
	touch $(READY)

# PyTorch has an environment of its own: nothing else needs it.
$(READY_TORCH): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV_TORCH)
	$(VENV_TORCH)/bin/pip install -q torch==2.13.0 lightning
	$(VENV_TORCH)/bin/pip install -q -e ".[test]"
	touch $(READY_TORCH)

clean:
	rm -rf $(VENV) $(VENV_TORCH) demo chain site build *.egg-info .pytest_cache .ruff_cache .hypothesis
