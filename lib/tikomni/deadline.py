"""How long a command may wait. Monotonic seconds; knows nothing of what it bounds."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Deadline:
    """``seconds`` from the start of the command; ``None`` waits as long as the work takes."""

    seconds: float | None = None
    started: float = field(default_factory=time.monotonic)

    def remaining(self) -> float | None:
        """Seconds left, never negative; ``None`` when there is no deadline."""
        return None if self.seconds is None else max(0.0, self.started + self.seconds - time.monotonic())

    @property
    def passed(self) -> bool:
        return self.seconds is not None and self.remaining() == 0.0

    def passed_by(self, seconds: float) -> bool:
        """Whether it was that long ago, or longer."""
        return self.seconds is not None and time.monotonic() >= self.started + self.seconds + seconds

    def within(self, seconds: float) -> float:
        """``seconds``, or what is left where that is less."""
        left = self.remaining()
        return seconds if left is None else min(seconds, left)
