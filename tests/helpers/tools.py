"""The client of the Model Context Protocol, as the tests use it."""

import base64
from collections.abc import Awaitable, Callable
from pathlib import Path

from coroutines import result_of


def in_session(url: str, work: Callable[[object], Awaitable]) -> object:
    """What comes of work that is given a session with the server of tools at this address."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def run():
        async with streamable_http_client(url) as (read, write, _), ClientSession(read, write) as session:
            await session.initialize()
            return await work(session)

    return result_of(run())


def data_url(file: Path, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"
