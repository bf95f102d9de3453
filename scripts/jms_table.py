"""Prints the tables at the end of JMS.md: .venv/bin/python scripts/jms_table.py"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.jms_api.inventory import omissions, table  # the tests are not installed

if __name__ == "__main__":
    print("## What there is", "", *table(), "", "## What is left out", "", *omissions(), sep="\n")
