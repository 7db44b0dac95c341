"""A user of the HTTP API: signs in, sends requests, and says when the service answers otherwise than expected."""

import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx2


class Unexpected(Exception):
    """An answer that the story does not allow; the text names the request and the problem's slug."""


class ApiUser:
    """One signed-in user."""

    def __init__(self, url: str, username: str, password: str) -> None:
        """Sign in. Raises Unexpected."""
        self.username = username
        self._client = httpx2.Client(base_url=f"{url}/api/v1", timeout=60)
        grant = self.call(
            "POST",
            "/oauth/token",
            data={"grant_type": "password", "username": username, "password": password},
            idempotent=False,
        )
        self._client.headers["Authorization"] = f"Bearer {grant['access_token']}"

    def call(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        data: Mapping[str, str] | None = None,
        photo: Path | None = None,
        idempotent: bool = True,
    ) -> dict[str, Any]:
        """The JSON answer of a request that must succeed. Raises Unexpected."""
        answer = self._send(method, path, json, data, photo, idempotent)
        if answer.is_error:
            raise Unexpected(f"{method} {path} as {self.username}: {answer.status_code} {answer.text[:500]}")
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    def refused(self, method: str, path: str, *, json: Mapping[str, Any] | None = None) -> tuple[int, str]:
        """Status and slug of a request that must be refused. Raises Unexpected when it is not."""
        answer = self._send(method, path, json, None, None, idempotent=False)
        if not answer.is_client_error:
            raise Unexpected(f"{method} {path} as {self.username} was not refused: {answer.status_code}")
        return answer.status_code, answer.json().get("slug", "")

    def refused_photo(self, path: str, data: bytes) -> tuple[int, str]:
        """Status and slug of an upload that must be refused."""
        answer = self._client.post(path, files={"photo": ("photo.jpg", data, "application/octet-stream")})
        if not answer.is_client_error:
            raise Unexpected(f"POST {path} as {self.username} was not refused: {answer.status_code}")
        return answer.status_code, answer.json().get("slug", "")

    def picture(self, path: str) -> int:
        """Size of a photograph that must open. Raises Unexpected."""
        answer = self._client.get(path)
        if answer.is_error or not answer.content.startswith(b"\xff\xd8"):
            raise Unexpected(f"GET {path} as {self.username}: {answer.status_code}, no photograph")
        return len(answer.content)

    def wait_until(self, path: str, good: Callable[[dict[str, Any]], bool], *, seconds: float = 120) -> dict[str, Any]:
        """Read a record until it is good. Raises Unexpected when the time is over."""
        deadline = time.monotonic() + seconds
        while True:
            record = self.call("GET", path)
            if good(record):
                return record
            if time.monotonic() > deadline:
                raise Unexpected(f"{path} is still not as awaited after {seconds:.0f} s (state {record['state']})")
            time.sleep(0.2)

    def _send(
        self,
        method: str,
        path: str,
        json: Mapping[str, Any] | None,
        data: Mapping[str, str] | None,
        photo: Path | None,
        idempotent: bool,
    ) -> httpx2.Response:
        headers = {"Idempotency-Key": str(uuid.uuid4())} if idempotent and method == "POST" else {}
        if method == "PUT":
            headers["If-Match"] = "*"  # the story is the only one that writes
        files = {"photo": (photo.name, photo.read_bytes(), "application/octet-stream")} if photo else None
        return self._client.request(method, path, json=json, data=data, files=files, headers=headers)
