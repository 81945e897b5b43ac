"""``python -m lab.demo``: exits 0 only when no request failed, no session was lost and every job was done exactly once."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lab.demo import story
from lab.settings import REPOSITORY


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lab.demo", description=__doc__)
    parser.add_argument("--users", type=int, default=50, help="users with their own cookies and DNS cache (%(default)s)")
    parser.add_argument("--rate", type=float, default=50, help="requests per second of all users together (%(default)s)")
    parser.add_argument("--requests", type=int, default=20500, help="go on after the teardown until so many were sent (%(default)s)")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "build" / "demo", help="folder of result.json and report.html")
    parser.add_argument("--keep", action="store_true", help="leave the lab running")
    return story.tell(story.Options(**vars(parser.parse_args())))


if __name__ == "__main__":
    sys.exit(main())
