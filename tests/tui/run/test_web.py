"""The dashboard over HTTP: who is let in, and what goes through. The real server, and Chromium where there is one."""

import asyncio
import io
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

aiohttp = pytest.importorskip("aiohttp", reason="the extra [web] is not installed")
from aiohttp import web  # noqa: E402

from fetalstream.pipeline.bus.endpoints import endpoints_in  # noqa: E402
from fetalstream.pipeline.wire import Snapshot  # noqa: E402
from fetalstream.tui.run.web import HOST, Guard, GuardedServer, command, serve  # noqa: E402
from tests.scripted_engine import ScriptedEngine, reading  # noqa: E402
from tests.tui.browser import CHROMIUM, chromium, ended, visitor  # noqa: E402

# A browser's worth of a dashboard: it says what it read, and nothing else.
ECHO = (
    f"{sys.executable} -u -c 'import sys; sys.stdout.buffer.write(b\"__GANGLION__\\n\"); sys.stdout.flush(); input()'"
)


@asynccontextmanager
async def serving(shell_command: str = ECHO) -> AsyncIterator[tuple[Guard, str]]:
    runner_port = 0
    guard = Guard(runner_port)
    server = GuardedServer(shell_command, runner_port, guard)
    app = await server.application()
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    guard.__init__(port)  # type: ignore[misc] - known only now
    server.public_url = f"http://{HOST}:{port}"
    started: list[Any] = []
    create = asyncio.create_subprocess_shell

    async def remembered(*args: Any, **kwargs: Any) -> Any:
        started.append(await create(*args, **kwargs))
        return started[-1]

    asyncio.create_subprocess_shell = remembered  # type: ignore[assignment] - textual-serve does not wait for them
    try:
        yield guard, f"http://{HOST}:{port}"
    finally:
        asyncio.create_subprocess_shell = create
        await runner.cleanup()
        for process in started:
            await ended(process)


async def test_the_token_opens_the_page_once_and_the_cookie_from_then_on() -> None:
    async with serving() as (guard, origin), visitor() as first, visitor() as second:
        address = guard.address
        async with first.get(address) as page:
            assert page.status == 200
            assert page.url.query_string == ""
            assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
            assert "textual.js" in await page.text()
        async with first.get(f"{origin}/static/js/textual.js") as script:
            assert script.status == 200
        async with second.get(address) as again:
            assert again.status == 403
            assert "has been used" in await again.text()


@pytest.mark.parametrize("path", ["/", "/?token=", "/?token=wrong", "/ws", "/static/js/textual.js", "/download/x"])
async def test_without_the_token_nothing_is_answered(path: str) -> None:
    async with serving() as (guard, origin), visitor() as anybody:
        async with anybody.get(origin + path, headers={"Origin": origin}) as answer:
            assert answer.status == 403
        async with anybody.get(guard.address) as page:  # and the token is still good
            assert page.status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Host": "evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {},
    ],
)
async def test_another_page_cannot_use_the_cookie(headers: dict[str, str]) -> None:
    async with serving() as (guard, origin), visitor() as victim:
        async with victim.get(guard.address):
            pass
        given = {"Origin": origin, **headers} if headers else {}
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await victim.ws_connect(f"{origin}/ws", headers=given)
        assert refused.value.status == 403


async def test_the_own_page_gets_the_dashboard(tmp_path: Path) -> None:
    with ScriptedEngine(endpoints_in(tmp_path)) as engine:
        engine.play_in_thread(0.05)
        async with serving(command(["watch", engine.endpoints.control])) as (guard, origin), visitor() as browser:
            async with browser.get(guard.address):
                pass
            async with browser.ws_connect(f"{origin}/ws?width=100&height=30", headers={"Origin": origin}) as socket:
                seen = b""
                async with asyncio.timeout(60):
                    while b"stream-1" not in seen:
                        message = await socket.receive()
                        assert message.type != aiohttp.WSMsgType.CLOSED, seen
                        seen += message.data if isinstance(message.data, bytes) else b""
                await socket.send_json(["stdin", "s"])
                async with asyncio.timeout(60):
                    while Snapshot(stream="stream-1") not in engine.asked:
                        await asyncio.sleep(0.05)


def test_a_taken_port_is_an_error_and_the_address_is_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    ran: list[Any] = []
    monkeypatch.setattr(
        "fetalstream.tui.run.web.web.run_app", lambda app, **options: ran.append((app.close(), options))
    )
    serve(["watch"], told.append)
    assert re.search(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{40,}", told[0])
    assert ran[0][1]["sock"].getsockname()[0] == "127.0.0.1" if ran[0][1]["sock"].fileno() >= 0 else True


def changed_share(before: bytes, after: bytes) -> float:
    """Of the upper right, where the plane's name stands."""
    one, other = (np.asarray(Image.open(io.BytesIO(png)).convert("L"), np.int16) for png in (before, after))
    corner = np.s_[: one.shape[0] // 4, one.shape[1] // 2 :]
    return float((np.abs(one[corner] - other[corner]) > 40).mean())


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt install chromium")
@pytest.mark.timeout(200)
async def test_in_chromium_keys_reach_the_engine(tmp_path: Path) -> None:
    with ScriptedEngine(endpoints_in(tmp_path)) as engine:
        engine.play_in_thread(0.05)
        async with (
            serving(command(["watch", engine.endpoints.control])) as (guard, _),
            chromium(tmp_path / "profile", guard.address) as browser,
        ):
            async with asyncio.timeout(60):
                while "-first-byte" not in await browser.text():
                    await asyncio.sleep(0.1)
            async with asyncio.timeout(60):
                while Snapshot(stream="stream-1") not in engine.asked:
                    await browser.press("s")
                    await asyncio.sleep(0.3)
            engine.stop_playing()
            brain = await browser.picture()
            Path(os.environ.get("FETALSTREAM_PICTURES", tmp_path), "browser.png").write_bytes(brain)
            for index in range(20):
                engine.publisher.send(reading(1000 + index, plane="femur"))
            await asyncio.sleep(0.5)
            assert changed_share(brain, await browser.picture()) > 0.002
