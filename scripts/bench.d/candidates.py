"""The clients that are compared: how each is built, and how it makes one submission and reads the task's id.

What is not ours is imported by name, when its process starts: the packages are in scripts/bench's environment alone.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    Call = Callable[[], object]
    AsyncCall = Callable[[], Awaitable[object]]

KEY = "test-key"
PATH = "/api/v3/wavespeed-ai/flux-dev"
MODEL = "wavespeed-ai/flux-dev"
INPUT = {"prompt": "a cat on a mat", "size": "1024*1024", "num_inference_steps": 28, "guidance_scale": 3.5, "seed": 42}
HEADERS = {"Authorization": f"Bearer {KEY}"}
TIMEOUT = 120.0
ROOT = Path(__file__).resolve().parents[2]
# What an editable install adds to sys.path.
OUR_FOLDERS = (str(ROOT / "generated"), str(ROOT / "overlay"))


class AbsentError(Exception):
    """This candidate is not there."""


class PathWithoutSniffio(PathFinder):
    """The usual search of sys.path, made in vain for sniffio.

    httpcore looks for sniffio four times in each async request. httpx does not bring it along, and Python does not
    remember that an import failed: where it is not installed, each look searches the whole of sys.path. This
    environment has it, for our client depends on it; so the search is made in earnest, for a name that nothing has. To
    raise an error at once would flatter that peer, and to drop what is found would charge it for the finding.
    """

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return super().find_spec("not_sniffio" if fullname == "sniffio" else fullname, path, target)


def raw_socket(url: str) -> Call:
    address, body = urlsplit(url), json.dumps(INPUT).encode()
    head = f"POST {PATH} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {KEY}\r\n"
    request = f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    connection = socket.create_connection((address.hostname, address.port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if address.scheme == "https":
        connection = ssl.create_default_context().wrap_socket(connection, server_hostname=address.hostname)

    def call() -> object:
        connection.sendall(request)
        _, _, answer = connection.recv(4096).partition(b"\r\n\r\n")
        return json.loads(answer)["data"]["id"]

    return call


def bare_httpx(url: str) -> Call:
    client = import_module("httpx").Client(base_url=url, headers=HEADERS, timeout=TIMEOUT)
    return lambda: client.post(PATH, json=INPUT).json()["data"]["id"]


def generated(url: str) -> Call:
    client = import_module("wavespeed_api").Client(base_url=url)
    submit = import_module("wavespeed_api.api.tasks.submit_task").sync_detailed
    body = import_module("wavespeed_api.models").TaskInput.from_dict(INPUT)
    return lambda: submit("wavespeed-ai", "flux-dev", client=client, body=body).parsed.data.id


def ours(url: str) -> Call:
    client = import_module("wavespeed_client").WaveSpeed(KEY, base_url=url, timeout=TIMEOUT)
    return lambda: client.submit(MODEL, INPUT).id


def requests_session(url: str) -> Call:
    session = import_module("requests").Session()
    session.headers.update(HEADERS)
    return lambda: session.post(url + PATH, json=INPUT, timeout=TIMEOUT).json()["data"]["id"]


def stainless(url: str) -> Call:
    client = import_module("runwayml").RunwayML(api_key=KEY, base_url=url, timeout=TIMEOUT)
    answer = _stainless_model()
    return lambda: client.post(PATH, body=INPUT, cast_to=answer).data["id"]


def official(url: str) -> Call:
    client = import_module("wavespeed.api.client").Client(api_key=KEY, base_url=url)
    return lambda: client._submit(MODEL, INPUT)[0]


def official_run(url: str) -> Call:
    client = import_module("wavespeed.api.client").Client(api_key=KEY, base_url=url)
    return lambda: client.run(MODEL, INPUT)["outputs"]


def async_httpx(url: str) -> AsyncCall:
    httpx = import_module("httpx")
    return _async_httpx(httpx.AsyncClient(base_url=url, headers=HEADERS, timeout=TIMEOUT))


def async_httpx_without_sniffio(url: str) -> AsyncCall:
    if "sniffio" in sys.modules:
        raise AbsentError("sniffio is loaded already")
    sys.path[:] = [folder for folder in sys.path if folder not in OUR_FOLDERS]  # a longer search is not this peer's
    sys.meta_path[sys.meta_path.index(PathFinder)] = PathWithoutSniffio
    return async_httpx(url)


def async_httpx_unlimited(url: str) -> AsyncCall:
    httpx = import_module("httpx")
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    return _async_httpx(httpx.AsyncClient(base_url=url, headers=HEADERS, timeout=TIMEOUT, limits=limits))


def _async_httpx(client: Any) -> AsyncCall:
    async def call() -> object:
        answer = await client.post(PATH, json=INPUT)
        return answer.json()["data"]["id"]

    return call


def bare_aiohttp(url: str) -> AsyncCall:
    aiohttp = import_module("aiohttp")
    sessions: list[Any] = []

    async def call() -> object:
        if not sessions:  # it has to be made inside the loop
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=TIMEOUT)
            sessions.append(aiohttp.ClientSession(headers=HEADERS, connector=connector))
        async with sessions[0].post(url + PATH, json=INPUT) as answer:
            return (await answer.json())["data"]["id"]

    return call


def async_ours(url: str) -> AsyncCall:
    return _async_ours(import_module("wavespeed_client").AsyncWaveSpeed(KEY, base_url=url, timeout=TIMEOUT))


def async_ours_aiohttp(url: str) -> AsyncCall:
    return _async_ours(aiohttp_client(url))


def _async_ours(client: Any) -> AsyncCall:
    async def call() -> object:
        return (await client.submit(MODEL, INPUT)).id

    return call


def async_stainless(url: str) -> AsyncCall:
    client = import_module("runwayml").AsyncRunwayML(api_key=KEY, base_url=url, timeout=TIMEOUT)
    answer = _stainless_model()

    async def call() -> object:
        return (await client.post(PATH, body=INPUT, cast_to=answer)).data["id"]

    return call


def _stainless_model() -> Any:
    base = import_module("runwayml").BaseModel
    return type("Envelope", (base,), {"__annotations__": {"code": int, "message": str, "data": dict[str, Any]}})


def aiohttp_client(url: str) -> Any:
    """Our async client with the aiohttp engine.

    Raises:
        AbsentError: There is none, or what it needs is not installed.
    """
    package = import_module("wavespeed_client")
    try:
        return package.AsyncWaveSpeed(KEY, base_url=url, timeout=TIMEOUT, transport="aiohttp")
    except (TypeError, package.ConfigurationError) as error:
        raise AbsentError(f"no aiohttp engine here ({error})") from error


SYNC: dict[str, Callable[[str], Call]] = {
    "raw socket": raw_socket,
    "httpx": bare_httpx,
    "generated function": generated,
    "ours": ours,
    "requests.Session": requests_session,
    "runwayml": stainless,
    "official": official,
    "official, run()": official_run,
}
ASYNC: dict[str, Callable[[str], AsyncCall]] = {
    "httpx": async_httpx,
    "httpx without sniffio": async_httpx_without_sniffio,
    "httpx, unlimited": async_httpx_unlimited,
    "aiohttp": bare_aiohttp,
    "ours": async_ours,
    "ours, aiohttp": async_ours_aiohttp,
    "runwayml": async_stainless,
}
