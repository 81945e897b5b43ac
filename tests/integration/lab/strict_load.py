"""Load that forgives nothing: POST, no retry, every answer other than 200 is a failure. Half the users keep their connection.

Arguments: address, port, users, requests per second in all, seconds. Prints JSON: {"requests": n, "failures": [...]}.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
ADDRESS, PORT, USERS, RATE, SECONDS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5])


async def request(connection: Connection, keep: bool) -> tuple[int, bool]:
    """(status, whether the server keeps the connection)."""
    reader, writer = connection
    closing = "" if keep else "Connection: close\r\n"
    writer.write(f"POST /order HTTP/1.1\r\nHost: shop.example.test\r\nContent-Length: 0\r\n{closing}\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    await reader.readexactly(int(head.split("content-length: ")[1].split("\r\n")[0]))
    return int(head.split()[1]), "connection: close" not in head


async def user(number: int, until: float, results: list[str]) -> None:
    keep, connection, pause = number % 2 == 0, None, USERS / RATE
    await asyncio.sleep(pause * number / USERS)
    while (began := time.monotonic()) < until:
        try:
            connection = connection or await asyncio.open_connection(ADDRESS, PORT)
            status, kept = await asyncio.wait_for(request(connection, keep), 5)
            results.append("" if status == 200 else str(status))
        except (OSError, EOFError, TimeoutError) as error:
            results.append(repr(error))
            kept = False
        if connection and not (kept and keep):
            connection[1].close()
            connection = None
        await asyncio.sleep(max(0.0, pause - (time.monotonic() - began)))


async def main() -> None:
    results: list[str] = []
    until = time.monotonic() + SECONDS
    await asyncio.gather(*(user(number, until, results) for number in range(USERS)))
    print(json.dumps({"requests": len(results), "failures": [result for result in results if result]}))


asyncio.run(main())
