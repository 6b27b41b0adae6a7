"""A local server that answers as the ISIC archive does, and misbehaves as servers do."""

import io
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from PIL import Image

PAGE = 100
FAULTS = ("busy", "broken", "reset", "short", "expired", "html", "wrong_size")


class Archive(ThreadingHTTPServer):
    """``images`` records, of which every ``without``-th has no files; each image's first request meets a fault.

    Attributes:
        served: complete images sent, by id.
        asked: requests of any kind.
    """

    daemon_threads = True

    def __init__(self, images: int, faults: tuple[str, ...] = FAULTS, without: int = 50) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ids = [f"ISIC_{number:07d}" for number in range(images)]
        self.without = {self.ids[number] for number in range(7, images, without)}
        self.faults = faults
        self.bodies = {isic_id: photograph(number) for number, isic_id in enumerate(self.ids)}
        self.met: Counter[str] = Counter()
        self.served: Counter[str] = Counter()
        self.asked = 0
        self.lock = threading.Lock()

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/api/v2/"

    def record(self, isic_id: str, signed: int) -> dict[str, Any]:
        number = self.ids.index(isic_id)
        url = f"http://127.0.0.1:{self.server_address[1]}/storage/{isic_id}.jpg?signed={signed}"
        size = {"url": url, "size": len(self.bodies[isic_id])}
        clinical = {
            "diagnosis_1": ("Benign", "Malignant")[number % 4 == 0],
            "sex": "female",
            "patient_id": f"IP_{number}",
        }
        return {
            "isic_id": isic_id,
            "copyright_license": ("CC-0", "CC-BY", "CC-BY-NC")[number % 3],
            "attribution": f"Clinic {number % 2}",
            "files": {} if isic_id in self.without else {"full": size, "thumbnail_256": size},
            "metadata": {"clinical": clinical, "acquisition": {"image_type": "dermoscopic", "pixels_x": 24}},
        }


class Handler(BaseHTTPRequestHandler):
    server: Archive
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        with self.server.lock:
            self.server.asked += 1
            self.server.met[url.path] += 1
            first = self.server.met[url.path] == 1
        if url.path == "/api/v2/images/search/":
            self.page({name: values[0] for name, values in parse_qs(url.query).items()})
        elif url.path.startswith("/api/v2/images/"):
            self.answer(json.dumps(self.server.record(url.path.split("/")[-2], signed=2)).encode())
        else:
            self.image(url.path.split("/")[-1].removesuffix(".jpg"), "signed=2" in url.query, first)

    def page(self, asked: dict[str, str]) -> None:
        start = int(asked.get("cursor", 0))
        with self.server.lock:
            self.server.met[f"page {start}"] += 1
            again = self.server.met[f"page {start}"] > 1
        if self.server.faults and start % 300 == 0 and not again:
            self.answer(b"slow down", 429, {"Retry-After": "0"})
            return
        chosen = self.server.ids
        if "query" in asked:
            chosen = [name for name in chosen if asked["query"] in name]
        part = chosen[start : start + min(int(asked["limit"]), PAGE)]
        more = start + len(part) < len(chosen)
        following = f"{self.server.api}images/search/?limit={asked['limit']}&cursor={start + len(part)}"
        following += f"&query={asked['query']}" if "query" in asked else ""
        count = {"count": len(chosen)} if start == 0 else {}
        results = [self.server.record(isic_id, signed=1) for isic_id in part]
        self.answer(json.dumps({"next": following if more else None, "results": results, **count}).encode())

    def image(self, isic_id: str, fresh: bool, first: bool) -> None:
        body = self.server.bodies[isic_id]
        fault = self.server.faults[int(isic_id[5:]) % len(self.server.faults)] if self.server.faults else ""
        if fault == "expired" and not fresh:
            self.answer(b"<Error>AccessDenied</Error>", 403)
        elif not first or fault in ("", "expired"):
            with self.server.lock:
                self.server.served[isic_id] += 1
            self.answer(body)
        elif fault == "busy":
            self.answer(b"", 429, {"Retry-After": "0"})
        elif fault == "broken":
            self.answer(b"", 500)
        elif fault == "html":
            self.answer(b"<!doctype html><title>Sign in</title>")
        elif fault == "wrong_size":
            self.answer(body[:-9])
        else:  # reset, short: fewer bytes than announced
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            if fault == "reset":
                self.connection.shutdown(2)

    def answer(self, body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def photograph(number: int) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


@contextmanager
def running(archive: Archive) -> Iterator[Archive]:
    thread = threading.Thread(target=archive.serve_forever, daemon=True)
    thread.start()
    try:
        yield archive
    finally:
        archive.shutdown()
        archive.server_close()
