"""A study as commands: each is run in a process of its own, and not again once its result is there."""

import contextlib
import json
import logging
import os
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

from glacierjax.core.errors import InputError
from glacierjax.core.files import write_png, write_text
from glacierjax.reports.arms import strip_chart

log = logging.getLogger(__name__)

SCRATCH = "scratch"
METRICS = "metrics.json"


class Step(NamedTuple):
    """A command, and the file that is there once it is done."""

    module: str
    flags: tuple[str, ...]
    result: Path


Chain = list[Step]  # one after the other


def run_study(study: Any, output: Path, real: Path | None, jobs: int = 1) -> None:
    """Runs what is left of a study, `jobs` commands at once, and writes its report.

    Raises `InputError` for a command that fails; those that run beside it are waited for.
    """
    share = _Share(jobs)
    for stage in stages(study, output, real):
        with ThreadPoolExecutor(jobs) as pool:
            try:
                for finished in as_completed([pool.submit(_run, chain, share) for chain in stage]):
                    finished.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    names = [name for name, _ in _data_sets(study, output, real)]
    write_text(output / "study.md", report(study, output, names))
    log.info("report: %s", output / "study.md")


def stages(study: Any, output: Path, real: Path | None) -> list[list[Chain]]:
    """All commands of a study: each stage needs the ones before it, and its chains do not need one another."""
    archive, data = output / "archive", output / "data"
    flags = _flags(study.simulate)
    pretraining = study.pretraining
    first = [
        [Step("glacierjax.simulate", (f"--output={archive}", *flags), archive / "ssl4sar"),
         _build("ssl4sar", data, archive / "ssl4sar", {})],
    ]  # fmt: skip
    pretrained = [
        [_train(pretraining, data, output / "pretrained" / arm, changes)] for arm, changes in pretraining.arms
    ]
    builds, tuned, compared = [], [], []
    for name, part in _data_sets(study, output, real):
        own_data = data if real is None or name == "simulated" else output / f"data_{name}"
        source = archive / "data_raw" if name == "simulated" else real
        assert source is not None  # a data set that is not simulated is there because of it
        builds.append([_build("caffe", own_data, source, part.get("build", {}))])
        for arm in (SCRATCH, *_techniques(study)):
            for seed in study.seeds:
                workdir = output / name / arm / f"seed{seed}"
                init = () if arm == SCRATCH else (f"init.checkpoint={output / 'pretrained' / arm}",)
                changes = (f"seed={seed}", f"data.name={_config_name(part.get('build', {}))}", *init)
                result = _result(output, name, arm, seed)
                where = (f"--workdir={workdir}", f"--output={result.parent}", *_flags(study.evaluation))
                tuned.append([_train(part, own_data, workdir, changes), Step("glacierjax.evaluate", where, result)])
        for arm in _techniques(study):
            sides = (
                f"--{side}=" + ",".join(str(_result(output, name, which, seed)) for seed in study.seeds)
                for side, which in (("baseline", SCRATCH), ("method", arm))
            )
            folder = output / "compare" / f"{name}_{arm}"
            compared.append([Step("glacierjax.compare", (*sides, f"--output={folder}"), folder / "compare.md")])
    return [first, builds, pretrained, tuned, compared]


def _techniques(study: Any) -> list[str]:
    """Names of the pretraining techniques, in the order of the study."""
    return [name for name, _ in study.pretraining.arms]


def _data_sets(study: Any, output: Path, real: Path | None) -> list[tuple[str, Any]]:
    """(name, settings) of the data sets to fine-tune on."""
    return [("simulated", study.finetuning)] + ([("real", study.real)] if real else [])


def _build(builder: str, data: Path, manual: Path, options: Mapping[str, Any]) -> Step:
    # Two configs of ssl4sar are built by one command; of the last one TFDS writes this file last.
    config = "optical" if builder == "ssl4sar" else _config_name(options).split("/")[1]
    result = data / builder / config / "1.0.0" / "dataset_info.json"
    where = (f"tfds_builders/{builder}", f"--data_dir={data}", f"--manual_dir={manual}")
    return Step("tfds_builders.build", (*where, *_flags(options)), result)


def _config_name(options: Mapping[str, Any]) -> str:
    """The config that the build command makes of these options of its own."""
    return "/".join(("caffe", "-".join(["scenes", *(f"{key}_{value}" for key, value in options.items())])))


def _train(part: Any, data: Path, workdir: Path, changes: Sequence[str]) -> Step:
    fields = (*part.set, *changes, f"data.dir={data}")
    flags = (f"--config={part.config}", *(f"--config.{field}" for field in fields))
    return Step("glacierjax.train", (*flags, f"--workdir={workdir}"), workdir / "summary.json")


def _result(output: Path, name: str, arm: str, seed: int) -> Path:
    return output / name / arm / f"seed{seed}" / "report" / METRICS


def _flags(options: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(f"--{key}={value}" for key, value in options.items())


class _Share:
    """Deals the processor's cores out to jobs that run at once: on a few cores of its own each job computes faster."""

    def __init__(self, jobs: int) -> None:
        self._free: SimpleQueue[set[int]] = SimpleQueue()
        cores = sorted(os.sched_getaffinity(0)) if jobs > 1 and hasattr(os, "sched_getaffinity") else []
        for job in range(jobs):
            self._free.put(set(cores[job::jobs] or cores))
        self.failed = False  # nothing new begins then

    def run(self, command: list[str]) -> int:
        """Runs a command on one of the shares; returns its exit code."""
        cores = self._free.get()
        try:
            process = subprocess.Popen(command)
            if cores:
                with contextlib.suppress(ProcessLookupError):  # it may have ended already
                    os.sched_setaffinity(process.pid, cores)
            return process.wait()
        finally:
            self._free.put(cores)


def _run(chain: Chain, share: _Share) -> None:
    for step in chain:
        if step.result.exists() or share.failed:
            continue
        command = [sys.executable, "-m", step.module, *step.flags]
        log.info("python -m %s", shlex.join([step.module, *step.flags]))
        started = time.monotonic()
        if code := share.run(command):
            share.failed = True
            raise InputError(
                f"python -m {step.module}: failed with exit code {code}, see above; start the study again then"
            )
        log.info("%s: done in %.0f s", step.result.parent, time.monotonic() - started)


def report(study: Any, output: Path, names: list[str]) -> str:
    """The study's results as Markdown; draws the pictures that it shows."""
    lines = [
        "# Does pretraining help where labels are few?",
        "",
        f"{len(study.seeds)} seeds of fine-tuning for each arm, one pretraining for each technique. MDE is the mean distance "
        "error over the test scenes that have a predicted front; missing fronts are counted beside it. Tests over seeds: "
        "`compare/`.",
    ]
    for name in names:
        rows = []
        points: dict[str, list[float | None]] = {}
        for arm in (SCRATCH, *_techniques(study)):
            scores = [json.loads(_result(output, name, arm, seed).read_text()) for seed in study.seeds]
            points[arm] = [score["mde_m"] for score in scores]
            rows.append(_row(arm, scores))
        write_png(output / f"{name}.png", strip_chart(points, f"{name}: MDE on the test split, one dot a seed", "m"))
        lines += [
            "", f"## {name}", "", f"![{name}]({name}.png)", "",
            "| arm | MDE in m, mean | deviation | best | worst | MDE in px | missing fronts | mean IoU |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |", *rows, "",
            *(f"- [scratch against {arm}](compare/{name}_{arm}/compare.md)" for arm in _techniques(study)),
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _row(arm: str, scores: list[dict]) -> str:
    errors = [score["mde_m"] for score in scores if score["mde_m"] is not None]
    pixels = [score["mde_px"] for score in scores if score["mde_px"] is not None]
    deviation = f"{statistics.stdev(errors):.0f}" if len(errors) > 1 else "-"
    figures = [statistics.fmean(errors), min(errors), max(errors)] if errors else []
    mean, best, worst = (f"{value:.0f}" for value in figures) if figures else ("-", "-", "-")
    in_px = f"{statistics.fmean(pixels):.1f}" if pixels else "-"
    missing = " ".join(str(score["missing_fronts"]) for score in scores)
    ious = [score["zones"]["iou"]["mean"] for score in scores]
    iou = f"{statistics.fmean(ious):.3f}" + (f" ± {statistics.stdev(ious):.3f}" if len(ious) > 1 else "")
    return f"| {arm} | {mean} | {deviation} | {best} | {worst} | {in_px} | {missing} | {iou} |"
