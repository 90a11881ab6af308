"""The clients to compare: how each is created, submits an input, and reads the task's id.

Each imports its package only in its own process, so that no candidate pays for another's modules.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    Call = Callable[[], object]
    AsyncCall = Callable[[], Awaitable[object]]

KEY = "test-key"
MODEL = "wavespeed-ai/flux-dev"
PATH = f"/api/v3/{MODEL}"
INPUT = {"prompt": "a cat on a mat", "size": "1024*1024", "num_inference_steps": 28, "guidance_scale": 3.5, "seed": 42}
HEADERS = {"Authorization": f"Bearer {KEY}"}
TIMEOUT = 120.0
ROOT = Path(__file__).resolve().parents[2]
# What an editable install adds to sys.path.
OUR_FOLDERS = (str(ROOT / "generated"), str(ROOT / "overlay"))


class PathWithoutSniffio(PathFinder):
    """Search sys.path as usual, but never find sniffio.

    httpcore imports sniffio four times in each async request. httpx does not install it, and Python does not remember
    a failed import, so without sniffio each of the four searches the whole of sys.path. Our client depends on sniffio,
    so this environment has it; here the search is made for a name that does not exist. Raising an error at once would
    make httpx look faster than it is, and finding sniffio and hiding it would make it look slower.
    """

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return super().find_spec("not_sniffio" if fullname == "sniffio" else fullname, path, target)


def bare_httpx(url: str) -> Call:
    client = import_module("httpx").Client(base_url=url, headers=HEADERS, timeout=TIMEOUT)
    return lambda: client.post(PATH, json=INPUT).json()["data"]["id"]


def ours(url: str) -> Call:
    client = import_module("wavespeed_client").WaveSpeed(KEY, base_url=url, timeout=TIMEOUT)
    return lambda: client.submit(MODEL, INPUT).id


def official(url: str) -> Call:
    client = import_module("wavespeed.api.client").Client(api_key=KEY, base_url=url)
    return lambda: client._submit(MODEL, INPUT)[0]


def async_httpx(url: str) -> AsyncCall:
    client = import_module("httpx").AsyncClient(base_url=url, headers=HEADERS, timeout=TIMEOUT)

    async def call() -> object:
        return (await client.post(PATH, json=INPUT)).json()["data"]["id"]

    return call


def async_httpx_without_sniffio(url: str) -> AsyncCall:
    if "sniffio" in sys.modules:
        raise RuntimeError("sniffio was loaded before its absence could be measured")
    sys.path[:] = [folder for folder in sys.path if folder not in OUR_FOLDERS]  # they would make the search longer
    sys.meta_path[sys.meta_path.index(PathFinder)] = PathWithoutSniffio
    return async_httpx(url)


def our_async_client(url: str, transport: str) -> Any:
    return import_module("wavespeed_client").AsyncWaveSpeed(KEY, base_url=url, timeout=TIMEOUT, transport=transport)


def async_ours(url: str, transport: str = "httpx") -> AsyncCall:
    client = our_async_client(url, transport)

    async def call() -> object:
        return (await client.submit(MODEL, INPUT)).id

    return call


def async_ours_aiohttp(url: str) -> AsyncCall:
    return async_ours(url, "aiohttp")


SYNC: dict[str, Callable[[str], Call]] = {"httpx": bare_httpx, "ours": ours, "official": official}
ASYNC: dict[str, Callable[[str], AsyncCall]] = {
    "async httpx": async_httpx,
    "async httpx without sniffio": async_httpx_without_sniffio,
    "async ours": async_ours,
    "async ours, aiohttp": async_ours_aiohttp,
}
