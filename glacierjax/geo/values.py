"""How pixel values are read: options of the user, what the file says, and a record of what was used and guessed."""

import dataclasses

import numpy as np
from jaxtyping import Bool, Shaped

from glacierjax.core.choices import AUTO, SCALES
from glacierjax.core.errors import ArgumentError
from glacierjax.core.json_values import Json
from glacierjax.geo.nodata import is_fill

NO_VALUE = "none"  # for `ValueOptions.nodata`


@dataclasses.dataclass(frozen=True)
class ValueOptions:
    """What a user says of the values. `scale`: one of `SCALES`; `nodata`: the value that means no data, "none" if no value
    does, "auto" if the file and the values are to tell."""

    scale: str = AUTO
    nodata: float | str = AUTO

    def __post_init__(self):
        if self.scale not in SCALES:
            raise ArgumentError("scale", self.scale, f"choose one of {', '.join(SCALES)}")
        if isinstance(self.nodata, str) and self.nodata not in (AUTO, NO_VALUE):
            raise ArgumentError("nodata", self.nodata, f"give a number, {NO_VALUE} or {AUTO}")

    @property
    def finds_nodata(self) -> bool:
        """Whether values that nobody declared may be taken as no data."""
        return self.nodata == AUTO

    def is_data(self, values: Shaped[np.ndarray, "*shape"]) -> Bool[np.ndarray, "*shape"]:
        """bool, like `values`: neither NaN nor infinite nor a value that is no data wherever it stands."""
        if self.finds_nodata:
            return ~is_fill(values)
        finite = np.isfinite(values)
        return finite if self.nodata == NO_VALUE else finite & (values != self.nodata)


DEFAULT_OPTIONS = ValueOptions()


def nodata_from_text(text: str) -> float | str:
    """The value of a flag for `ValueOptions.nodata`."""
    try:
        value = float(text)
    except ValueError:
        return text.strip().lower()
    return NO_VALUE if np.isnan(value) else value


@dataclasses.dataclass(frozen=True)
class Told:
    """What a file says of its values: measurement = value * `gain` + `offset`; `words` that may tell the scale, the most
    certain first; `nodata`: values that it declares as none."""

    gain: float = 1.0
    offset: float = 0.0
    words: tuple[str | None, ...] = ()
    nodata: tuple[float, ...] = ()

    @property
    def is_plain(self) -> bool:
        return (self.gain, self.offset) == (1, 0)

    def measurement(self, values: Shaped[np.ndarray, "*shape"]) -> Shaped[np.ndarray, "*shape"]:
        if self.is_plain:
            return values
        with np.errstate(over="ignore", invalid="ignore"):  # of what is no data, and in damaged files
            return values.astype(np.float32) * np.float32(self.gain) + np.float32(self.offset)


NOTHING_TOLD = Told()


@dataclasses.dataclass(frozen=True)
class Reading:
    """How values became grey: their scale, the values that were taken as no data, the two that became 0 and 255, and what of
    it was guessed, in words."""

    scale: str
    nodata: tuple[float, ...]
    grey_0: float
    grey_255: float
    guessed: tuple[str, ...] = ()

    def row(self) -> Json:
        """For a table."""
        return {
            "scale": self.scale,
            "nodata": ";".join(f"{value:.9g}" for value in self.nodata),
            "grey_0": float(f"{self.grey_0:.6g}"),
            "grey_255": float(f"{self.grey_255:.6g}"),
            "guessed": "; ".join(self.guessed),
        }
