"""Requests to a server that is busy, far away or out of order now and then."""

import json
import time
from threading import Lock
from typing import Any

from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

PASSING = (429, 500, 502, 503, 504)  # worth another try
TRIES = 8
PAUSE = 0.5  # s before the second try; doubled for each one after, and as much again by chance
LONGEST_PAUSE = 60.0  # s
TIMEOUT = Timeout(connect=15, read=60)  # s


class RefusedError(Exception):
    """The server's last word on a request; ``status`` is 0 where it said nothing."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Web:
    """GET over connections that are kept, from any number of threads.

    A server that is busy is asked again when it says so, or ever later; so is one that breaks off in the middle of an
    answer, or sends less than it announced.

    Args:
        rate: requests a second over all threads, at most; further tries come on top.
        connections: kept open to a host.
    """

    def __init__(self, rate: float, connections: int, pause: float = PAUSE) -> None:
        retries = Retry(
            total=TRIES - 1,
            status_forcelist=PASSING,
            raise_on_status=False,
            backoff_factor=pause,
            backoff_jitter=pause,
            backoff_max=LONGEST_PAUSE,
        )
        self._pool = PoolManager(maxsize=connections, block=True, retries=retries, timeout=TIMEOUT)
        self._between = 1 / rate
        self._next = 0.0
        self._lock = Lock()

    def get(self, url: str) -> bytes:
        """The whole body.

        Raises:
            RefusedError: if it does not come.
        """
        self._wait()
        try:
            response = self._pool.request("GET", url)
        except HTTPError as error:
            raise RefusedError(0, f"no answer in {TRIES} tries ({error.__class__.__name__})") from error
        if response.status != 200:
            raise RefusedError(response.status, f"the server answers {response.status}")
        return response.data

    def get_json(self, url: str) -> Any:
        """The content of a JSON answer.

        Raises:
            RefusedError: if it does not come, or is something else.
        """
        body = self.get(url)
        try:
            return json.loads(body)
        except ValueError as error:
            raise RefusedError(200, f"the answer is no JSON: {body[:40]!r}") from error

    def _wait(self) -> None:
        """Until it is this request's turn."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._between
        time.sleep(turn - now)
