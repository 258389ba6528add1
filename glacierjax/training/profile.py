"""A JAX profile of a few steps, for TensorBoard's profile plugin or Perfetto."""

import logging
from pathlib import Path

import jax

log = logging.getLogger(__name__)

WARM_UP_STEPS = 2  # the first steps of a start also allocate buffers


class Profile:
    """Records `steps` steps in `workdir/profile`; 0 records nothing."""

    def __init__(self, workdir: Path, steps: int):
        self._folder, self._steps = workdir / "profile", steps
        self._seen = 0
        self._runs = False

    def before_step(self) -> None:
        """Starts or ends the recording if this step is its first or the one after its last."""
        if self._steps:
            if self._seen == WARM_UP_STEPS:
                jax.profiler.start_trace(str(self._folder))
                self._runs = True
            elif self._seen == WARM_UP_STEPS + self._steps:
                self.close()
            self._seen += 1

    def close(self) -> None:
        """Ends the recording and writes the profile."""
        if self._runs:
            jax.profiler.stop_trace()
            self._runs = False
            log.info("profile written: %s", self._folder)
