"""Adapts networks of real imagery to a glacier that they have not seen, with 1, 3 and 5 of its scenes.

    python experiments/new_glacier/real.py --data=DATA_RAW --site=KAN --output=OUT --checkpoint=RUN1 --checkpoint=RUN2

DATA_RAW is the folder of Landsat scenes (`data_raw` layout), the networks are those of `make real`. Five scenes of the site,
evenly spread over time, may be labels; all others are scored, with the networks as one ensemble. Flags of `glacierjax adapt` may
follow after `--`; choose_real.py finds good ones at another glacier. Ends with OUT/real.md; what is done already is not done
again. Run it from the project's root.
"""

import argparse
import json
import sys
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from sites import link_site
from steps import Share, Step, run_chain

from glacierjax.core.scene_names import parse_name
from glacierjax.datasets.caffe.archive import open_archive
from glacierjax.recipes.adaptation import spread_over_time

POOL, NUMBERS = 5, (0, 1, 3, 5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="data_raw folder of the Landsat scenes")
    parser.add_argument("--site", required=True, help="the glacier that is new")
    parser.add_argument("--output", type=Path, required=True, help="folder for networks and scores")
    parser.add_argument(
        "--checkpoint", type=Path, action="append", required=True, help="a network trained without the site"
    )
    parser.add_argument("flags", nargs="*", help="flags of `glacierjax adapt`")
    options = parser.parse_args()
    site = options.output / "data_raw"
    split_scenes(options.data, site, options.site)
    lines = [
        "| labels | MDE | median of scenes | worst | missing fronts | seconds |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for labels in NUMBERS:
        networks, seconds = [], 0.0
        for number, checkpoint in enumerate(options.checkpoint):
            networks.append(checkpoint if not labels else options.output / f"labels{labels}" / str(number))
            if labels:
                # Several networks decide together, so no cross-validation stops one of them: each goes as far as flags say.
                flags = (
                    f"--checkpoint={checkpoint}",
                    "--which=last",
                    f"--data={site}",
                    f"--scenes={labels}",
                    "--folds=0",
                )
                call("adapt", networks[-1] / "adaptation.json", *flags, *options.flags, f"--output={networks[-1]}")
                seconds += json.loads((networks[-1] / "summary.json").read_text())["seconds"]
        report = options.output / f"labels{labels}" / "report"
        named = (f"--checkpoint={network}" for network in networks)
        call(
            "evaluate",
            report / "metrics.json",
            *named,
            "--which=last",
            f"--data={site}",
            "--na=auto",
            f"--output={report}",
        )
        lines.append(row(labels, report / "metrics.json", seconds))
        (options.output / "real.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


def split_scenes(data_raw: Path, site: Path, glacier: str) -> None:
    """Links the site's scenes: those that may be labels as the split train, the others as test."""
    archive = open_archive(data_raw)
    ids = [parse_name(name) for split in archive.splits() for name in archive.names(split)]
    ids = [scene for scene in ids if scene.glacier == glacier]
    pool = {ids[i].name for i in spread_over_time(ids, POOL)}
    link_site(data_raw, site, glacier, {scene.name: "train" if scene.name in pool else "test" for scene in ids})


def row(labels: int, metrics_file: Path, seconds: float) -> str:
    metrics = json.loads(metrics_file.read_text())
    errors = [scene["mde_px"] for scene in metrics["per_scene"].values() if scene["mde_px"] is not None]
    cells = (
        str(labels),
        *((f"{metrics['mde_px']:.2f} px", f"{median(errors):.2f} px", f"{max(errors):.1f} px") if errors else "---"),
        f"{metrics['missing_fronts']} of {metrics['scenes']}",
        f"{seconds:.0f}",
    )
    return "| " + " | ".join(cells) + " |"


def call(command: str, result: Path, *flags: str) -> None:
    """Runs a command unless its result is there."""
    run_chain([Step(f"glacierjax.{command}", flags, result)], Share(1))


if __name__ == "__main__":
    main()
