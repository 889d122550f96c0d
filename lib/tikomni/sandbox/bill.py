"""What the upstream would have charged for, counted as it would count.

Thread-safe, and nothing but a counter: who calls ``Bill`` decides that a thing is billable.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any


class Bill:
    """Paid calls by route, submissions and seconds of speech, uploads, answers of a model; free things apart.

    ``seconds_by_file`` is keyed by the address that was submitted. A job that fails costs no seconds.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self.calls: Counter[str] = Counter()
            self.usd = 0.0
            self.free: Counter[str] = Counter()
            self.submissions = 0
            self.seconds_by_file: Counter[str] = Counter()
            self.uploads = 0
            self.uploaded_bytes = 0
            self.answers = 0
            self.tokens_in = 0
            self.tokens_out = 0

    def call(self, route: str, price_usd: float) -> None:
        """An answered call. Without a price it is counted as free."""
        with self._lock:
            if price_usd:
                self.calls[route] += 1
                self.usd = round(self.usd + price_usd, 6)
            else:
                self.free[route] += 1

    def query(self, route: str) -> None:
        """An answered call that another provider bills, at a price that the catalogue does not know."""
        with self._lock:
            self.calls[route] += 1

    def submission(self, seconds_by_file: list[tuple[str, int]]) -> None:
        """One accepted job, with the seconds of the files that it will transcribe, polled for or not."""
        with self._lock:
            self.submissions += 1
            for file_url, seconds in seconds_by_file:
                self.seconds_by_file[file_url] += seconds

    def upload(self, size: int) -> None:
        with self._lock:
            self.uploads += 1
            self.uploaded_bytes += size

    def model(self, read: int, written: int) -> None:
        """One answer of the model, with the tokens that it read and wrote."""
        with self._lock:
            self.answers += 1
            self.tokens_in += read
            self.tokens_out += written

    @property
    def billed_calls(self) -> int:
        return self.calls.total()

    @property
    def asr_seconds(self) -> int:
        return self.seconds_by_file.total()

    def as_dict(self) -> dict[str, Any]:
        with self._lock:
            counted = {name: value for name, value in vars(self).items() if name != "_lock"}
            told = {"billed_calls": self.billed_calls, "asr_seconds": self.asr_seconds} | counted
            return {name: dict(value) if isinstance(value, Counter) else value for name, value in told.items()}
