"""Chromium, driven over its debugging protocol."""

import asyncio
import base64
import contextlib
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


async def ended(process: Any) -> None:
    """Nothing of a child is left to the garbage collector, which would find it in the middle of another test."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(30):
            await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()
    process._transport.close()


def visitor() -> Any:
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


class Browser:
    """Chromium over its debugging protocol: just enough to open, press and read."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._count = 0
        self.events: list[dict[str, Any]] = []

    async def do(self, method: str, **params: Any) -> dict[str, Any]:
        self._count += 1
        await self._socket.send_json({"id": self._count, "method": method, "params": params})
        async with asyncio.timeout(60):
            while True:
                answer = await self._socket.receive_json()
                if "method" in answer:
                    self.events.append(answer)
                elif answer.get("id") == self._count:
                    assert "error" not in answer, answer
                    return dict(answer.get("result", {}))

    async def text(self) -> str:
        # The terminal draws on a canvas: what it shows is told by the accessible lines where there are any.
        found = await self.do("Runtime.evaluate", expression="document.body.className + document.title")
        return str(found["result"].get("value"))

    async def press(self, key: str) -> None:
        await self.do("Runtime.evaluate", expression="document.querySelector('textarea').focus()")
        await self.do("Input.dispatchKeyEvent", type="keyDown", text=key, key=key)
        await self.do("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def value(self, expression: str) -> Any:
        """What a piece of script gives."""
        found = await self.do("Runtime.evaluate", expression=expression, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def picture(self) -> bytes:
        return base64.b64decode((await self.do("Page.captureScreenshot", format="png"))["data"])


@asynccontextmanager
async def chromium(folder: Path, address: str) -> AsyncIterator[Browser]:
    process = await asyncio.create_subprocess_exec(
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
        f"--user-data-dir={folder}", "--remote-debugging-port=0", "--window-size=1200,800", "about:blank",
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        async with asyncio.timeout(60):
            said = b""
            while b"DevTools listening on" not in said:
                said = await process.stderr.readline()
        port = re.search(rb":(\d+)/", said)
        assert port is not None
        async with visitor() as client:
            async with client.get(f"http://127.0.0.1:{int(port[1])}/json/list") as pages:
                page = next(each for each in await pages.json() if each["type"] == "page")
            async with client.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                browser = Browser(socket)
                await browser.do("Page.enable")
                await browser.do("Page.navigate", url=address)
                yield browser
    finally:
        process.terminate()
        await ended(process)
