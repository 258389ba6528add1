"""What all settings have in common: typed and checked fields, JSON both ways, and no JAX."""

import dataclasses
import math
import types
import typing
from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Self

from glacierjax.core.errors import InputError


def setting(
    default: Any,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    choices: Collection[str] = (),
    may_change: bool = False,
    is_path: bool = False,
) -> Any:
    """A field of a `Settings` class: its default, and which values it may have.

    Bounds and choices also hold for each item of a tuple. `may_change`: a run that goes on may have another value.
    `is_path`: a file or folder; kept relative to the workdir if it was given relative.
    """
    limits = {"at_least": at_least, "at_most": at_most, "choices": tuple(choices)}
    return dataclasses.field(default=default, metadata={**limits, "may_change": may_change, "is_path": is_path})


def probability(default: float) -> Any:
    """A field between 0 and 1."""
    return setting(default, at_least=0, at_most=1)


def interval(default: tuple[float, float], *, at_least: float, at_most: float | None = None) -> Any:
    """A field (low, high), the ends of a uniform draw."""
    metadata = {"at_least": at_least, "at_most": at_most, "ascends": True}
    return dataclasses.field(default=default, metadata=metadata)


def section(kind: "type[Settings]", **values: Any) -> Any:
    """A field that is itself such settings, with the values given here in place of their defaults."""
    return dataclasses.field(default_factory=lambda: kind(**values))


@dataclasses.dataclass(frozen=True)
class Settings:
    """Base of all settings: frozen, with values of the declared types and inside their bounds.

    `SECTION` is the place in a configuration: the field `name` of the section `data` is `--config.data.name`.
    The text below a field says what it means, first its unit in brackets (`glacierjax.core.settings.table`); fields without
    one mean what the field of that name means in the class `LIKE`.
    Raises `InputError` naming this flag for a value that cannot be.
    """

    SECTION: ClassVar[str] = ""
    LIKE: ClassVar["type[Settings] | None"] = None

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = _typed(self._flag(field.name), getattr(self, field.name), field.type)
            _check_limits(self._flag(field.name), value, field.metadata)
            object.__setattr__(self, field.name, value)

    def to_json(self) -> dict[str, Any]:
        """As JSON holds it: nested dicts, tuples as lists."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {
            name: value.to_json() if isinstance(value, Settings) else list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The settings that `to_json` wrote; a field that is missing has its default.

        Raises `InputError` for an unknown field.
        """
        fields = {field.name: field.type for field in dataclasses.fields(cls)}
        unknown = sorted(values.keys() - fields.keys())
        if unknown:
            flag = cls._flag(unknown[0])
            raise InputError(f"{flag}: no such field; there are: {', '.join(sorted(fields))}")
        arguments = {}
        for name, value in values.items():
            section = fields[name]
            if isinstance(section, type) and issubclass(section, Settings):
                if not isinstance(value, Mapping):
                    raise InputError(f"{cls._flag(name)}={value}: expected fields, not a value")
                value = section.from_json(value)
            arguments[name] = value
        return cls(**arguments)

    @classmethod
    def _flag(cls, name: str) -> str:
        return f"`{'.'.join(part for part in ('config', cls.SECTION, name) if part)}`"


def flat_fields(settings: Settings, prefix: str = "") -> dict[str, tuple[Any, Mapping[str, Any]]]:
    """Every field by its dotted name `a.b`: its value and the metadata that `setting` gave it."""
    flat: dict[str, tuple[Any, Mapping[str, Any]]] = {}
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if isinstance(value, Settings):
            flat |= flat_fields(value, f"{prefix}{field.name}.")
        else:
            flat[prefix + field.name] = (value, field.metadata)
    return flat


def _typed(flag: str, value: object, wanted: Any) -> object:
    """The value with the declared type: whole numbers are floats too, lists are tuples."""
    if isinstance(wanted, types.GenericAlias):  # tuple[float, float] or tuple[str, ...]
        items = typing.get_args(wanted)
        if not isinstance(value, list | tuple) or (Ellipsis not in items and len(value) != len(items)):
            raise InputError(f"{flag}={value}: expected {'a list' if Ellipsis in items else f'{len(items)} values'}")
        return tuple(_typed(flag, item, items[0]) for item in value)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        raise InputError(f"{flag}={value!r}: expected {wanted.__name__}, found {type(value).__name__}")
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{flag}={value}: expected a finite number")
    return value


def _check_limits(flag: str, value: Any, limits: Mapping[str, Any]) -> None:
    for item in value if isinstance(value, tuple) else (value,):
        choices, least, most = limits.get("choices"), limits.get("at_least"), limits.get("at_most")
        if choices and item not in choices:
            raise InputError(f"{flag}={item}: choose {' or '.join(choices) if len(choices) < 3 else _listed(choices)}")
        if (least is not None and item < least) or (most is not None and item > most):
            upto = f"{least} or more" if most is None else f"{least} to {most}"
            raise InputError(f"{flag}={item}: choose {upto}")

    if limits.get("ascends") and value[0] > value[1]:
        raise InputError(f"{flag}={value}: the first number is larger than the second")


def _listed(choices: Collection[str]) -> str:
    return f"one of {', '.join(choices)}"
