"""A picture of a web page: by a headless Chromium, which is told what to do by its DevTools protocol."""

from __future__ import annotations

import base64
import json
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

SCALE = 1.5
QUALITY = 82


def take(address: str, ready: str, pictures: dict[Path, str], width: int, height: int) -> None:
    """Open a page, wait until an expression of JavaScript is true there, and take a picture for each colour scheme."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ("--headless=new", "--no-sandbox", "--hide-scrollbars", "--remote-debugging-port=0")
        command = ["chromium", *options, f"--user-data-dir={profile}", "about:blank"]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with connect(_tab(Path(profile)), max_size=None, proxy=None) as tab:
                size = {"width": width, "height": height, "deviceScaleFactor": SCALE, "mobile": False}
                _call(tab, "Emulation.setDeviceMetricsOverride", **size)
                _call(tab, "Page.navigate", url=address)
                while not _call(tab, "Runtime.evaluate", expression=f"!!({ready})")["result"].get("value"):
                    time.sleep(0.2)
                for file, scheme in pictures.items():
                    feature = {"name": "prefers-color-scheme", "value": scheme}
                    _call(tab, "Emulation.setEmulatedMedia", features=[feature])
                    time.sleep(1)  # what moves has come to rest
                    taken = _call(tab, "Page.captureScreenshot", format="webp", quality=QUALITY)
                    file.write_bytes(base64.b64decode(taken["data"]))
        finally:
            browser.terminate()
            browser.wait()


def _tab(profile: Path) -> str:
    """Where the first tab of a browser listens."""
    announced = profile / "DevToolsActivePort"
    while not announced.exists() or not announced.read_text():
        time.sleep(0.1)
    port = announced.read_text().split()[0]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
        return str(next(each["webSocketDebuggerUrl"] for each in json.load(answer) if each["type"] == "page"))


def _call(tab: ClientConnection, method: str, **params: Any) -> dict[str, Any]:
    tab.send(json.dumps({"id": 1, "method": method, "params": params}))
    while True:
        message = json.loads(tab.recv())
        if message.get("id") == 1:
            return dict(message["result"])
