"""Scenes that come as arrays or pictures of other libraries, not as files."""

from typing import Any

import numpy as np
from PIL import Image

from glacierjax.core.errors import InputError
from glacierjax.core.files import grey_of_picture
from glacierjax.core.grey import CAFFE_GREY, GreyRule
from glacierjax.geo.grey import Grey, grey_from_array
from glacierjax.geo.values import DEFAULT_OPTIONS, ValueOptions

DEEP_MODES = ("I", "F")  # how Pillow's modes of more than 8 bits begin


def grey_from_anything(
    scene: Any, options: ValueOptions = DEFAULT_OPTIONS, rule: GreyRule = CAFFE_GREY, where: str = "array"
) -> Grey:
    """Grey of an array of NumPy, JAX or another library, a nested list or a picture of Pillow, of shape (H, W).

    One band in front or behind, (1, H, W) or (H, W, 1), is as good. What is masked (`numpy.ma`) or transparent is no data.
    Raises `InputError` for anything else.
    """
    if isinstance(scene, Image.Image):
        return _grey_of_picture(scene, options, rule, where)
    try:
        values = scene if isinstance(scene, np.ma.MaskedArray) else np.asarray(scene)
    except Exception as error:  # whatever the other library raises
        raise InputError(f"{where}: {type(scene).__name__} is no array ({error}); give one of shape (H, W)") from error
    if values.dtype.kind not in "uifc":
        raise InputError(f"{where}: a {type(scene).__name__}; expected a file or numbers of shape (H, W)")
    if values.ndim == 3 and 1 in (values.shape[0], values.shape[2]):
        values = values[0] if values.shape[0] == 1 else values[..., 0]
    masked = np.ma.getmaskarray(values)
    return grey_from_array(np.ma.getdata(values), ~masked, options, rule, where)


def _grey_of_picture(picture: Image.Image, options: ValueOptions, rule: GreyRule, where: str) -> Grey:
    if picture.mode.startswith(DEEP_MODES):
        return grey_from_array(np.asarray(picture), None, options, rule, where)
    return grey_from_array(*grey_of_picture(picture, where), options, rule, where)
