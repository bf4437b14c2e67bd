"""What a request asks, and how it is refused."""

from typing import Any

from starlette.responses import JSONResponse, Response


class Refusal(Exception):
    """An error answer in the form of the Hub's."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, sha: str | None = None, body: Any = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.sha = sha
        """Sent as X-Repo-Commit."""
        self.body = body

    def response(self) -> Response:
        headers = {"X-Error-Message": self.message.encode("ascii", "replace").decode(), "X-Request-Id": "local"}
        if self.code is not None:
            headers["X-Error-Code"] = self.code
        if self.sha is not None:
            headers["X-Repo-Commit"] = self.sha
        body = {"error": self.message} if self.body is None else self.body
        return JSONResponse(body, self.status, headers)


def rate_limited(seconds: int, limit: int = 500, window: int = 300) -> Response:
    """429 with the two kinds of headers that clients look at."""
    headers = {
        "Retry-After": str(seconds),
        "RateLimit": f'"api";r=0;t={seconds}',
        "RateLimit-Policy": f'"fixed window";"api";q={limit};w={window}',
    }
    return JSONResponse({"error": "We had to rate limit you"}, 429, headers)
