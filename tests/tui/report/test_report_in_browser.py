"""The report in Chromium: on a desk, on a telephone, light and dark, with hostile words in it."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("aiohttp", reason="the extra [web] is not installed")

from fetalstream.tui.commands.report import write_report
from fetalstream.tui.settings.scan_protocols import read_protocol
from tests.tui.browser import CHROMIUM, chromium
from tests.tui.recorded import recorded

SIZES = {"desk": (1100, 900), "phone": (390, 844)}
TOLD = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Page.javascriptDialogOpening")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt install chromium")
@pytest.mark.timeout(200)
async def test_it_reads_well_and_does_nothing_else(tmp_path):
    page = write_report(recorded(tmp_path / "out"), protocol=read_protocol("isuog-midtrimester"))
    pictures = Path(os.environ.get("FETALSTREAM_PICTURES", tmp_path))
    brightness = {}
    async with chromium(tmp_path / "profile", "about:blank") as browser:
        for domain in ("Log", "Network", "Runtime", "Page"):
            await browser.do(f"{domain}.enable")
        for name, (width, height) in SIZES.items():
            for scheme in ("light", "dark"):
                await browser.do(
                    "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                    mobile=name == "phone",
                )  # fmt: skip
                features = [{"name": "prefers-color-scheme", "value": scheme}]
                await browser.do("Emulation.setEmulatedMedia", features=features)
                await browser.do("Page.navigate", url=page.as_uri())
                loaded = "new Promise(r => document.readyState == 'complete' ? r(1) : addEventListener('load', r))"
                await browser.value(loaded)
                wide = await browser.value("document.documentElement.scrollWidth")
                assert wide <= width, (name, wide)
                assert await browser.value("[...document.images].every(i => i.naturalWidth > 0)")
                shown = "[...document.querySelectorAll('svg')].filter(s => s.getBoundingClientRect().width > 0).length"
                assert await browser.value(shown) == await browser.value("document.querySelectorAll('svg').length / 2")
                assert (await browser.value("document.title")).startswith("fetalstream report")
                ink = "getComputedStyle(document.querySelector('svg text')).fill"
                assert await browser.value(ink) == await browser.value("getComputedStyle(document.body).color")
                shot = await browser.picture()
                (pictures / f"report-{name}-{scheme}.png").write_bytes(shot)
                brightness[name, scheme] = np.asarray(Image.open(io.BytesIO(shot)).convert("L")).mean()
        await browser.do("Emulation.setEmulatedMedia", media="print")
        assert await browser.value("getComputedStyle(document.querySelector('nav')).display") == "none"
    for name in SIZES:
        assert brightness[name, "light"] > brightness[name, "dark"] + 60
    fetched = [
        event["params"]["request"]["url"] for event in browser.events if event["method"] == "Network.requestWillBeSent"
    ]
    assert {url.partition(",")[0][:30] for url in fetched if not url.startswith("data:image/jpeg")} == {
        page.as_uri()[:30]
    }
    assert [event for event in browser.events if event["method"] in TOLD] == []
