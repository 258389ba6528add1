"""Sentinel-1 product names: satellite, time, orbit, polarisations, and which files are images and which are not.

Only names are looked at, never files. The layouts are those of ESA (GRD and SLC, in .SAFE folders, SNAP's exports and Earth
Engine), ASF's HyP3 (RTC of GAMMA), OPERA RTC-S1, and pyroSAR; all of them with whatever was put before or behind the name.
"""

import dataclasses
import datetime
import re
from collections.abc import Sequence

POLARISATIONS = ("HH", "HV", "VH", "VV")
CO_POLARISED = ("HH", "VV")
# The code in ESA's and HyP3's names: single or dual, sent horizontally or vertically; two letters: that one alone.
_POLARISATION_CODES = {"SH": ("HH",), "SV": ("VV",), "DH": ("HH", "HV"), "DV": ("VV", "VH")} | {
    one: (one,) for one in POLARISATIONS
}
# Orbits are counted from launch; each 175th has the same ground track. What to subtract, by satellite. Sentinel-1C has
# changed its track, and Sentinel-1D is new: theirs are read from names that tell them, never calculated.
_TRACKS = 175
_FIRST_TRACK = {"S1A": 73, "S1B": 27}
# Pieces of one pass follow each other within seconds (bursts 3 s, slices 25 s); the next pass is 98 minutes later.
LONGEST_GAP = datetime.timedelta(seconds=60)

_SATELLITE, _MODE, _TIME = r"(?P<satellite>S1[A-D])", r"(?P<mode>IW|EW|WV|S[1-6])", r"(?P<start>\d{8}T\d{6})"
_BEGIN = r"(?<![A-Za-z0-9])"
_PATTERNS = {
    # S1A_IW_GRDH_1SDV_20200701T120000_20200701T120025_033260_03DA5B_ABCD; some catalogues drop the last four.
    "ESA": re.compile(
        rf"{_BEGIN}{_SATELLITE}_{_MODE}_(?P<type>GRD[FHM]|SLC_)_\d[SA](?P<code>[SDHV][HV])_{_TIME}_\d{{8}}T\d{{6}}"
        r"_(?P<orbit>\d{6})_(?P<take>[0-9A-Fa-f]{6})(_[0-9A-F]{4}(?![0-9A-Za-z]))?(_COG(?![0-9A-Za-z]))?"
    ),
    # s1a-iw-grd-vv-20200701t120000-20200701t120025-033260-03da5b-001, the images in a .SAFE folder.
    "measurement": re.compile(
        rf"{_BEGIN}{_SATELLITE}-(?P<mode>iw|ew|wv|s[1-6])[1-5]?-(?P<type>grd|slc)-(?P<polarisation>[hv]{{2}})-{_TIME}"
        r"-\d{8}t\d{6}-(?P<orbit>\d{6})-(?P<take>[0-9a-f]{6})-\d{3}(-cog)?",
        re.IGNORECASE,
    ),
    # S1A_IW_20180128T161201_DVP_RTC30_G_gpuned_FD6A
    "HyP3": re.compile(
        rf"{_BEGIN}{_SATELLITE}_{_MODE}_{_TIME}_(?P<code>[SD][HV])[PRO]_(?P<type>RTC\d\d_[A-Z]_[a-z]{{6}})_[0-9A-F]{{4}}"
    ),
    # S1A_IW_RT30_20170708T161200_G_gpn, before 2020
    "old HyP3": re.compile(rf"{_BEGIN}{_SATELLITE}_{_MODE}_(?P<type>RT\d\d[A-Z]?)_{_TIME}_[A-Z]_[a-z]{{3}}(?![a-z])"),
    # OPERA_L2_RTC-S1_T069-147170-IW1_20210205T163901Z_20220101T140222Z_S1A_30_v1.0
    "OPERA": re.compile(
        rf"{_BEGIN}OPERA_L2_(?P<type>RTC-S1)_(?P<burst>T(?P<track>\d{{3}})-\d{{6}}-(?P<mode>IW|EW)\d)_{_TIME}Z"
        rf"_(?P<processed>\d{{8}}T\d{{6}})Z_{_SATELLITE}_(?P<spacing>\d+)_v\d+(\.\d+)*"
    ),
    # OPERA_L2_RTC-S1-STATIC_T069-147170-IW1_20140403_S1A_30_v1.0: the layers that do not change, of no date.
    "OPERA static": re.compile(
        r"(?<![A-Za-z0-9])OPERA_L2_RTC-S1-STATIC_(?P<burst>T(?P<track>\d{3})-\d{6}-(?P<mode>IW|EW)\d)_[\dTZ_]+_"
        rf"{_SATELLITE}_(?P<spacing>\d+)_v\d+(\.\d+)*"
    ),
    # S1A__IW___A_20150309T173017
    "pyroSAR": re.compile(rf"{_BEGIN}{_SATELLITE}_+{_MODE}_+[AD]_{_TIME}"),
}
_POLARISATION = re.compile(r"(?<![A-Za-z0-9])(?:[HV]{2}|[hv]{2})(?![A-Za-z0-9])")
_POLARISATION_AND_MARK = re.compile(rf"[_.\-\s]{_POLARISATION.pattern}|{_POLARISATION.pattern}[_.\-\s]?")

# Layers beside the image. What ends with one of these words is none, in every folder.
ANCILLARY = (
    "dem",
    "inc_map",
    "inc_map_ell",
    "ls_map",
    "rgb",
    "rgb_thumb",
    "water_mask",
    "local_incidence_angle",
    "incidence_angle",
    "local_incident_angle",
    "number_of_looks",
    "rtc_anf_gamma0_to_beta0",
    "rtc_anf_gamma0_to_sigma0",
    "localincidenceangle",
    "projectedlocalincidenceangle",
    "incidenceanglefromellipsoid",
    "layovershadowmask",
    "layover_shadow_mask",
    "simulatedimage",
    "scatteringarea",
    "gammasigmaratio",
    "quicklook",
    "quick-look",
    "thumbnail",
)
# These words are names of places or of a user's own as well: a layer only beside an image, or of a product.
ANCILLARY_BESIDE_AN_IMAGE = (
    "mask",
    "area",
    "angle",
    "browse",
    "thumb",
    "preview",
    "elevation",
    "latitude",
    "longitude",
    "ratio",
    "coherence",
    "corr",
    "slope",
    "aspect",
)
_ANCILLARY_END = re.compile(
    r"(?:^|[_.\-\s])(?P<layer>" + "|".join(map(re.escape, sorted(ANCILLARY, key=len, reverse=True))) + r")$",
    re.IGNORECASE,
)
_WEAK_END = re.compile(r"(?:^|[_.\-\s])(?P<layer>" + "|".join(ANCILLARY_BESIDE_AN_IMAGE) + r")$", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Product:
    """What the name of a product says; None: it does not say.

    `text`: the product's own part of the name; `kind`: whose layout; `type`: of the product, as its layout writes it;
    `start`: UTC; `polarisations` of the whole product; `orbit`: absolute; `relative_orbit`: the ground track, 1 to 175;
    `take`: ESA's number of the uninterrupted acquisition; `burst`, `processed`: of OPERA.
    """

    text: str
    kind: str
    satellite: str
    mode: str
    type: str
    start: datetime.datetime | None
    polarisations: tuple[str, ...] = ()
    orbit: int | None = None
    relative_orbit: int | None = None
    take: str | None = None
    burst: str | None = None
    processed: str = ""

    @property
    def is_burst(self) -> bool:
        return self.burst is not None

    @property
    def is_static(self) -> bool:
        """Layers of a burst that hold for all dates."""
        return self.is_burst and self.start is None

    @property
    def is_water_masked(self) -> bool:
        """Whether it was delivered without the sea; HyP3's name says so (gpwned)."""
        return self.kind == "HyP3" and self.type[-4] == "w"

    @property
    def pass_key(self) -> tuple:
        """The same for pieces of one pass that were processed alike; `LONGEST_GAP` separates passes."""
        return (
            self.kind,
            self.satellite,
            self.mode,
            self.type,
            self.polarisations,
            self.orbit,
            self.relative_orbit,
            self.take,
        )


def product_of_name(name: str) -> Product | None:
    """The first product that a name mentions; None for names of other kinds."""
    for kind, pattern in _PATTERNS.items():
        match = pattern.search(name)
        if match is None:
            continue
        found = match.groupdict()
        start = _time(found.get("start"))
        if start is None and "start" in found:
            continue
        satellite = found["satellite"].upper()
        orbit = int(found["orbit"]) if found.get("orbit") else None
        relative = int(found["track"]) if found.get("track") else _relative_orbit(satellite, orbit)
        polarisations = _POLARISATION_CODES.get(found.get("code") or "", ())
        if found.get("polarisation"):
            polarisations = (found["polarisation"].upper(),)
        kept_type = (found.get("type") or "").upper() if kind == "measurement" else found.get("type") or ""
        if found.get("spacing"):
            kept_type += f"_{found['spacing']}"
        return Product(
            match[0],
            kind,
            satellite,
            found["mode"].upper(),
            kept_type,
            start,
            polarisations,
            orbit,
            relative,
            (found.get("take") or "").upper() or None,
            found.get("burst"),
            found.get("processed") or "",
        )
    return None


def polarisation_of_name(name: str) -> str | None:
    """The one polarisation that stands in a name as a word of its own (VV, vh); None for none and for several."""
    found = {word.upper() for word in _POLARISATION.findall(name)}
    return found.pop() if len(found) == 1 else None


def without_polarisation(name: str) -> str:
    """The name with its polarisation taken out, the same for all layers of a product."""
    product = product_of_name(name)
    if product is not None and product.kind == "measurement":  # they are numbered too
        return _POLARISATION.sub("", re.sub(r"-\d{3}(-cog)?$", "", product.text, flags=re.IGNORECASE))
    if polarisation_of_name(name) is None:
        return name
    return _POLARISATION_AND_MARK.sub("", name)


def ancillary_layer(name: str) -> str | None:
    """The layer that a name without suffix ends with, if that is no image wherever it lies."""
    match = _ANCILLARY_END.search(name)
    return match["layer"].lower() if match else None


def weak_ancillary_layer(name: str) -> str | None:
    """The layer that a name ends with, if beside an image, or of a product, it is none."""
    match = _WEAK_END.search(name)
    return match["layer"].lower() if match else None


def without_layer(name: str) -> str:
    """The name in front of the layer that it ends with."""
    match = _ANCILLARY_END.search(name) or _WEAK_END.search(name)
    return name[: match.start()] if match else name


def choose_polarisation(held: Sequence[str], wanted: str | None) -> str | None:
    """The wanted one of those that a product holds, or the co-polarised one; None: it does not hold it."""
    if wanted is not None:
        return wanted if wanted in held else None
    return next((one for one in CO_POLARISED if one in held), None)


def _time(text: str | None) -> datetime.datetime | None:
    try:
        return datetime.datetime.strptime((text or "").upper(), "%Y%m%dT%H%M%S").replace(tzinfo=datetime.UTC)
    except ValueError:
        return None


def _relative_orbit(satellite: str, orbit: int | None) -> int | None:
    if orbit is None or satellite not in _FIRST_TRACK:
        return None
    return (orbit - _FIRST_TRACK[satellite]) % _TRACKS + 1
