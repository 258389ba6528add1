"""Runs a campaign: predicts what is left of a plan, on one machine, on a Dask cluster or in the jobs of an array.

  python -m glacierjax.run --plan=PLAN --output=OUT
  python -m glacierjax.run --plan=PLAN --output=OUT --processes=4                (four processes of this machine)
  python -m glacierjax.run --plan=PLAN --output=OUT --scheduler=tcp://HOST:8786  (the workers of a Dask scheduler)
  python -m glacierjax.run --plan=PLAN --output=OUT --shard=3/8           (one of eight jobs; each does its own tasks)
  python -m glacierjax.run --plan=PLAN --output=OUT --grid_spacing_m=100  (with an ice mask of each glacier)

Writes OUT/glaciers/ID, a folder for each glacier as predict writes it. Run it again to do what is left: what has no result is
named at the end. `glacierjax status OUT` tells how far it is.

A run without --shard does again what somebody has removed from OUT/glaciers, and ends with the products of all: OUT/fronts (all
lines as GeoParquet), OUT/glaciers/ID/series (as timeseries writes it) and OUT/glaciers/ID/composites (as composite does: monthly
and annual fronts, with --grid_spacing_m an ice mask), both made again only where fronts have changed, OUT/collection.json (a
STAC collection) and OUT/overview.html.
"""

import sys

from absl import flags

from glacierjax.core import choices, cli

_PLAN = flags.DEFINE_string("plan", None, "Folder that glacierjax plan wrote.", required=True)
_OUTPUT = flags.DEFINE_string("output", None, "Folder for the results.", required=True)
_SCHEDULER = flags.DEFINE_string("scheduler", "", "Address of a Dask scheduler whose workers do the tasks.")
_PROCESSES = flags.DEFINE_integer(
    "processes", 0, "Worker processes on this machine (needs the extra [dask]); 0: this process does the tasks itself."
)
_SHARD = flags.DEFINE_string("shard", "1/1", "i/n: only each n-th task from the i-th on, for n jobs of their own.")
_ATTEMPTS = flags.DEFINE_integer(
    "attempts",
    choices.ATTEMPTS,
    "How often a task is tried that fails in this run, or whose process dies in any run.",
)
_SPACING = flags.DEFINE_float(
    "grid_spacing_m",
    None,
    "Side of the cells of each glacier's ice_mask.nc in metres (needs the extra [netcdf]). Default: no masks.",
)


def main() -> None:
    # Imported here: --help must not wait for rasterio and JAX.
    from glacierjax.campaign.run import engine_for, run_campaign, shard_from, sigterm_as_interrupt

    shard = shard_from(_SHARD.value)
    with sigterm_as_interrupt(), engine_for(_SCHEDULER.value, _PROCESSES.value, _ATTEMPTS.value) as engine:
        run_campaign(_PLAN.value, _OUTPUT.value, engine, shard, _ATTEMPTS.value, grid_spacing_m=_SPACING.value)


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__))
