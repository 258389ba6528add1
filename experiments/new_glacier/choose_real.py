"""Compares settings of `glacierjax adapt` on a glacier of real imagery: its error after each epoch, with five labels.

    python experiments/new_glacier/choose_real.py --data=DATA_RAW --site=SVE --checkpoint=RUN --output=OUT [--replay=OLD_DATA]

DATA_RAW is the folder of Landsat scenes (`data_raw` layout), RUN a network that has not seen the site, OLD_DATA its prepared
data. Labels and scored scenes are those of real.py. The glacier of the choice is not the one that real.py reports. Writes
OUT/choice.md, whose last line has the setting with the lowest cost (a missing front counts as the largest possible error). What
is done already is not done again. Run it from the project's root.
"""

import argparse
import dataclasses
import logging
import sys
import time
from pathlib import Path
from statistics import fmean

sys.path.insert(0, str(Path(__file__).parent))
from real import split_scenes

from glacierjax.checkpoints.native import load_checkpoint
from glacierjax.core.choices import LAST
from glacierjax.core.startup import prepare_process
from glacierjax.evaluation.run import raw_scenes
from glacierjax.model import Tyrion, build
from glacierjax.recipes.adapt import adapted_settings, train_on
from glacierjax.recipes.adapt_scenes import old_scenes, read_labels
from glacierjax.recipes.adaptation import AdaptOptions, largest_error_m
from glacierjax.recipes.held_out import HeldOut
from glacierjax.recipes.validation import Validation
from glacierjax.training.logs import val_lines

# Share of the rate of the network's training, and other options of `AdaptOptions`.
CANDIDATES = {
    "rate 0.3": (0.3, {}),
    "rate 1": (1.0, {}),
    "rate 0.3, half of the samples from the old glacier": (0.3, {"replay_share": 0.5}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="data_raw folder of the Landsat scenes")
    parser.add_argument("--site", required=True, help="the glacier that is new")
    parser.add_argument("--checkpoint", required=True, help="a network trained without the site")
    parser.add_argument("--replay", default="", help="prepared data of the old glacier")
    parser.add_argument("--epochs", type=int, default=8, help="epochs of each training")
    parser.add_argument("--output", type=Path, required=True, help="folder for networks and the table")
    options = parser.parse_args()
    prepare_process()  # as every command does
    logging.getLogger("glacierjax").setLevel(logging.ERROR)
    site = options.output / "data_raw"
    split_scenes(options.data, site, options.site)
    scored = raw_scenes(str(site), "test", "auto")
    largest_m = {scene.id.name: largest_error_m(scene) for scene in scored}
    head = [
        "| settings | after epoch | mean of scenes | missing fronts | cost |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    rows: list[tuple[float, str]] = []
    origin = load_checkpoint(options.checkpoint, LAST)
    for name, (rate_share, fields) in CANDIDATES.items():
        wanted = {"replay": options.replay, "replay_share": 0.0, **fields}
        if wanted["replay_share"] and not options.replay:
            continue
        adapting = AdaptOptions(options.checkpoint, str(site), which=LAST, epochs=options.epochs, **wanted)
        rate = rate_share * adapted_settings(origin, adapting).optimizer.learning_rate
        adapting = dataclasses.replace(adapting, learning_rate=rate)
        settings = adapted_settings(origin, adapting)
        folder = options.output / name.replace(",", "").replace(" ", "_")
        started = time.monotonic()
        if not (folder / "summary.json").exists():
            validation = HeldOut(Validation(settings, build(settings.model.network(), Tyrion), scored), largest_m)
            labels = read_labels(adapting)
            train_on(
                settings,
                folder,
                labels,
                old_scenes(settings, adapting.replay, labels.names).train if adapting.replay_share else None,
                adapting,
                validation,
            )
        print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)
        for line in val_lines(folder):
            errors = {scene: line[f"{scene}/mde_m"] for scene in largest_m}
            found = [error for error in errors.values() if error is not None]
            cost = line[HeldOut.watched]
            cells = (
                f"{name} | {line['epoch']:.0f}",
                f"{fmean(found):.0f} m" if found else "---",
                f"{len(errors) - len(found)} of {len(errors)}",
                f"{cost:.0f} m",
            )
            rows.append((cost, f"| {' | '.join(cells)} |"))
        lines = [*head, *(row for _, row in rows), "", f"Lowest cost: {min(rows)[1]}"]
        (options.output / "choice.md").write_text("\n".join(lines) + "\n")
    print((options.output / "choice.md").read_text())


if __name__ == "__main__":
    main()
