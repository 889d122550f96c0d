"""``python -m tikomni``."""

import gc
import sys

gc.set_threshold(100_000)  # most commands are over before there is anything to collect, and looking costs them 10 ms

from tikomni.cli import main  # noqa: E402

sys.exit(main())
