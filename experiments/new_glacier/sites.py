"""A folder with the scenes of one glacier alone: links into a `data_raw` folder of several."""

from collections.abc import Mapping
from pathlib import Path

from glacierjax.datasets.caffe.archive import BOXES, LABEL_SUFFIX, PRIOR_SUFFIX, STATEMENT


def link_site(data_raw: Path, folder: Path, glacier: str, split_of: Mapping[str, str] | None = None) -> None:
    """Links all files of a glacier's scenes into `folder`. `split_of`: scene -> its split there; None: as it is."""
    kinds = (*LABEL_SUFFIX, *PRIOR_SUFFIX, BOXES)
    for file in sorted(file for kind in kinds for file in (data_raw / kind).rglob(f"{glacier}_*")):
        parts = list(file.relative_to(data_raw).parts)
        if split_of is not None and parts[0] != BOXES:
            # GLACIER_DATE_SENSOR_SPACING_QUALITY_ORBIT, then what the file shows.
            name = "_".join(file.stem.split("_")[:6])
            parts[1] = split_of[name]
        path = folder.joinpath(*parts)
        if not path.is_symlink():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(file.resolve())
    statement = data_raw / STATEMENT
    if statement.exists() and not (folder / statement.name).is_symlink():
        (folder / statement.name).symlink_to(statement.resolve())
