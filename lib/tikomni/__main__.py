"""``python -m tikomni``."""

import sys

from tikomni.cli import main

sys.exit(main())
