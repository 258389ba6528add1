"""Radar satellites that take the simulated scenes."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Sensor:
    """A radar satellite as CaFFe's names know it: pixel spacings in metres, years in orbit, looks of its products."""

    name: str
    pixel_spacings_m: tuple[int, ...]
    years: tuple[int, int]
    looks: float
    incidence_deg: tuple[float, float]


SENSORS = (
    Sensor("ERS", (20,), (1995, 2010), 4.0, (23, 27)),
    Sensor("RSAT", (20,), (1996, 2012), 4.5, (25, 45)),
    Sensor("ENVISAT", (20,), (2003, 2011), 4.0, (23, 40)),
    Sensor("PALSAR", (17,), (2006, 2010), 7.0, (34, 40)),
    Sensor("TSX", (7, 6), (2008, 2020), 6.0, (25, 45)),
    Sensor("TDX", (7,), (2011, 2020), 6.0, (25, 45)),
    Sensor("S1", (20, 12), (2015, 2020), 7.0, (30, 45)),
)
