#!/usr/bin/env python3
"""Uses report.html as a person does, in headless Chromium, and writes what it saw to standard output as JSON.

Usage: report_page.py PAGE [--axe AXE.MIN.JS] [--screenshots FOLDER]
"""
import argparse
import base64
import contextlib
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import websocket


class Browser:
    """Chromium behind its debugging protocol."""

    def __init__(self, folder):
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-port=0",
                   "--remote-allow-origins=*", f"--user-data-dir={folder}", "about:blank"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        address = None
        for line in self.process.stderr:
            if line.startswith("DevTools listening on "):
                address = line.split()[-1]
                break
        if address is None:
            sys.exit("chromium did not start")
        self.socket = websocket.create_connection(address, timeout=60, max_size=None)
        self.number, self.session, self.events = 0, None, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method, **params):
        self.number += 1
        number = self.number
        message = {"id": number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == number:
                if "error" in answer:
                    sys.exit(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def wait(self, method):
        while not any(event.get("method") == method for event in self.events):
            self.events.append(json.loads(self.socket.recv()))

    def open(self, url):
        self.events = [event for event in self.events if event.get("method") != "Page.loadEventFired"]
        self.call("Page.navigate", url=url)
        self.wait("Page.loadEventFired")

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            sys.exit(f"{expression[:200]}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def key(self, key, code, text=""):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, text=text if kind == "keyDown" else "")

    def look(self, width, height, scheme="light"):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, path, whole=False):
        picture = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole, **({"clip": self.clip()} if whole else {}))
        pathlib.Path(path).write_bytes(base64.b64decode(picture["data"]))

    def clip(self):
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        return {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 6000), "scale": 1}

    def complaints(self):
        said = []
        for event in self.events:
            params = event.get("params", {})
            if event.get("method") == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
                said.append(params["entry"]["text"])
            if event.get("method") == "Runtime.exceptionThrown":
                said.append(params["exceptionDetails"].get("exception", {}).get("description", "exception"))
            if event.get("method") == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
                said.append(str(params["args"]))
        return said

    def close(self):
        with contextlib.suppress(Exception):
            self.session = None
            self.call("Browser.close")
        self.process.wait(20)


ORDER = "[...document.querySelectorAll('#table tbody tr')].filter((row) => !row.hidden).map((row) => row.dataset.package)"
SORTED = "[...document.querySelectorAll('#table thead th')].map((head) => head.getAttribute('aria-sort'))"
AXE = """axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })
  .then((found) => found.violations.map((v) => v.id + ": " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + " " + (n.any[0]?.message || "")).join(" | ")))"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("page")
    parser.add_argument("--axe")
    parser.add_argument("--screenshots")
    args = parser.parse_args()
    url = pathlib.Path(args.page).resolve().as_uri()
    seen = {}
    with tempfile.TemporaryDirectory() as folder:
        browser = Browser(folder)
        try:
            browser.look(1280, 900)
            began = time.monotonic()
            browser.open(url)
            seen["opened_ms"] = round((time.monotonic() - began) * 1000)
            seen["title"] = browser.value("document.title")
            seen["order"] = browser.value(ORDER)
            # Sorting by the mouse, and by the keyboard.
            browser.value("[...document.querySelectorAll('#table thead button')].find((b) => b.textContent === 'Package bytes').click()")
            seen["by_click"] = {"order": browser.value(ORDER), "aria": browser.value(SORTED)}
            browser.value("[...document.querySelectorAll('#table thead button')].find((b) => b.textContent === 'Package bytes').focus()")
            browser.key("Enter", 13, "\r")
            seen["by_key"] = {"order": browser.value(ORDER), "aria": browser.value(SORTED)}
            seen["values"] = browser.value("[...document.querySelectorAll('#table tbody tr')].map((row) => Number(row.querySelector('td[data-value]').dataset.value))")
            # The first stop of the keyboard leads past the head.
            browser.value("document.activeElement.blur(); scrollTo(0, 0)")
            browser.open(url)
            browser.key("Tab", 9)
            seen["first_stop"] = browser.value("document.activeElement.getAttribute('href')")
            # The filter, as the address asks for it.
            browser.open(url + "?filter=1.0.1%20&sort=0&order=descending")
            seen["filtered"] = {"order": browser.value(ORDER), "said": browser.value("document.querySelector('#shown').textContent"),
                                "details": browser.value("document.querySelectorAll('details.package:not([hidden])').length")}
            # A link to a package opens its details.
            browser.open(url + "?a#package-1")
            seen["opened"] = browser.value("document.querySelector('details[data-package=package-1]').open")
            # Colours: the system's, then the button's.
            paper = "getComputedStyle(document.body).backgroundColor"
            light = browser.value(paper)
            browser.value("document.querySelector('#theme').click()")
            dark = browser.value(paper)
            browser.look(1280, 900, "dark")
            browser.value("localStorage.clear()")
            browser.open(url + "?")
            seen["colours"] = {"light": light, "button": dark, "system": browser.value(paper)}
            # Nothing runs or loads but what the page's own policy names.
            browser.value("(() => { const s = document.createElement('script'); s.textContent = 'globalThis.strange = 1'; document.body.append(s); })()")
            seen["strange_script_ran"] = browser.value("'strange' in globalThis")
            seen["complaints"] = [said for said in browser.complaints() if "globalThis.strange" not in said and "inline script" not in said]
            seen["resources"] = browser.value("performance.getEntriesByType('resource').map((entry) => entry.name)")
            # A narrow screen: nothing but the table's own region is wider.
            browser.look(360, 740)
            browser.open(url)
            seen["overflow_at_360"] = browser.value("document.documentElement.scrollWidth - innerWidth")
            if args.axe:
                seen["axe"] = {}
                browser.call("Page.setBypassCSP", enabled=True)
                for width, scheme in ((1280, "light"), (1280, "dark"), (360, "light")):
                    browser.look(width, 900, scheme)
                    browser.open(url + "?open=all")
                    browser.value(pathlib.Path(args.axe).read_text() + "; 0")
                    seen["axe"][f"{width} {scheme}"] = browser.value(AXE)
            if args.screenshots:
                place = pathlib.Path(args.screenshots)
                place.mkdir(parents=True, exist_ok=True)
                for width, height, scheme in ((1280, 900, "light"), (1280, 900, "dark"), (360, 740, "light")):
                    browser.look(width, height, scheme)
                    browser.open(url)
                    browser.screenshot(place / f"{scheme}-{width}.png")
                    browser.value("document.querySelector('details').open = true; scrollTo(0, 0)")
                    time.sleep(0.3)
                    browser.screenshot(place / f"{scheme}-{width}-whole.png", whole=True)
        finally:
            browser.close()
    json.dump(seen, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
