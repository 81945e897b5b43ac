"""Run all benchmarks, or those named, and write tests/bench/results/<name>.md."""

from __future__ import annotations

import platform
import sys

from .registry import FOLDER, UnavailableError, benchmarks


def main(names: list[str]) -> int:
    known = benchmarks()
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"No benchmark {', '.join(unknown)}. There are: {', '.join(known)}.", file=sys.stderr)
        return 2
    for name in names or known:
        print(f"{name} ...", flush=True)
        try:
            table = known[name].run().markdown()
        except UnavailableError as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        print(table, end="\n\n", flush=True)
        made = f"Made by `python -m tests.bench {name}` with Python {platform.python_version()} on {platform.machine()}."
        (FOLDER / "results").mkdir(exist_ok=True)
        (FOLDER / "results" / f"{name}.md").write_text(f"# {name}\n\n{known[name].doc}\n\n{table}\n\n{made}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
