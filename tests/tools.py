"""Programs that some tests need and some machines lack. Without a program, its tests are skipped."""

from __future__ import annotations

import shutil

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NODE = shutil.which("node")
CURL = shutil.which("curl")

LEFT_OUT = [name for name, path in (("Chromium", CHROMIUM), ("Node", NODE), ("curl", CURL)) if path is None]
