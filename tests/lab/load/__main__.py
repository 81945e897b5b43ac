"""``python -m lab.load``: make load until stopped by SIGTERM or SIGINT, or for a given time. All results are in the output folder."""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

from lab.load.generator import Generator, Options
from lab.settings import FQDN, RESOLVER


def parse(arguments: list[str] | None = None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m lab.load", description=__doc__)
    parser.add_argument("--fqdn", default=FQDN, help="the shop's name (%(default)s)")
    parser.add_argument("--resolver", default=RESOLVER, help="address of the DNS server to ask (%(default)s)")
    parser.add_argument("--resolver-port", type=int, default=53)
    parser.add_argument("--ca", type=Path, help="CA certificate to verify the shop with; without it, plain HTTP")
    parser.add_argument("--port", type=int, help="when it is not the scheme's own")
    parser.add_argument("--users", type=int, default=50, help="how many (%(default)s); every second one keeps its connection open")
    parser.add_argument("--rate", type=float, default=50, help="requests per second of all users together (%(default)s)")
    parser.add_argument("--duration", type=float, help="seconds; without it, until a signal")
    parser.add_argument("--out", type=Path, required=True, help="folder for requests.jsonl, summary.json ...")
    return Options(**vars(parser.parse_args(arguments)))


async def main(options: Options) -> None:
    generator = Generator(options)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, generator.stop)
    await generator.run()


if __name__ == "__main__":
    asyncio.run(main(parse()))
