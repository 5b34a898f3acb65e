"""The client of the Model Context Protocol, as the tests use it."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def in_session(url: str, work: Callable[[object], Awaitable]) -> object:
    """What comes of work that is given a session with the server of tools at this address."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def run():
        async with streamable_http_client(url) as (read, write, _), ClientSession(read, write) as session:
            await session.initialize()
            return await work(session)

    with ThreadPoolExecutor(1) as own_thread:  # beside Playwright's event loop, which goes on in the main one
        return own_thread.submit(asyncio.run, run()).result()


def data_url(file: Path, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"
