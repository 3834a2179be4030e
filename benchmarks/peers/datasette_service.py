# /// script
# requires-python = "==3.13.*"
# dependencies = ["datasette==0.65.5"]
# ///
"""Datasette over the same database; it is not made to look for facets by itself."""

import sys

from datasette.cli import cli

SETTINGS = {
    "suggest_facets": "off",
    "sql_time_limit_ms": "10000",
    "facet_time_limit_ms": "10000",
}

if __name__ == "__main__":
    settings = [part for each in SETTINGS.items() for part in ("--setting", *each)]
    cli(["serve", "--immutable", sys.argv[1], "--port", sys.argv[2], *settings])
