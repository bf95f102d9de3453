"""`python -m tests.bench`, which scripts/bench calls."""

from __future__ import annotations

import sys

from tests.bench.program import main

if __name__ == "__main__":
    sys.exit(main())
