"""A JAX profile of a few steps, to look at with TensorBoard's profile plugin or Perfetto."""

import logging
from pathlib import Path

import jax

log = logging.getLogger(__name__)

WARM_UP_STEPS = 2  # the first steps of a start also fill buffers


class Profile:
    """Records `steps` steps into `workdir/profile`; nothing when there are none."""

    def __init__(self, workdir: Path, steps: int):
        self._folder, self._steps = workdir / "profile", steps
        self._seen = 0
        self._runs = False

    def before_step(self) -> None:
        """Starts or ends the recording when it is time."""
        if self._steps:
            if self._seen == WARM_UP_STEPS:
                jax.profiler.start_trace(str(self._folder))
                self._runs = True
            elif self._seen == WARM_UP_STEPS + self._steps:
                self.close()
            self._seen += 1

    def close(self) -> None:
        """Writes what was recorded."""
        if self._runs:
            jax.profiler.stop_trace()
            self._runs = False
            log.info("profile written: %s", self._folder)
