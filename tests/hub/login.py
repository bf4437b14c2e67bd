"""Signing in with an account of the local Hub, as a Space's visitors do: OpenID Connect, authorisation code."""

import secrets
import time
from html import escape
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlencode

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.servers.serving import Serving

CLIENT_ID, CLIENT_SECRET = "space-of-the-tests", "a-secret-of-the-tests"


class Login:
    """`with Login({"alice": token}) as login:` serves a page on which one chooses who to be.

    An app is a Space that offers it when started with `login.environment()`.
    """

    def __init__(self, users: dict[str, str]) -> None:
        """Serves nothing yet.

        Args:
            users: Tokens of the local Hub by account.
        """
        self._users = users
        self._granted: dict[str, tuple[str, str]] = {}
        self._key = RSAKey.generate_key(2048, {"kid": "of-the-tests", "use": "sig", "alg": "RS256"})
        self.scopes: list[str] = []
        """What the app asked for, each time somebody chose."""
        routes = [
            Route("/.well-known/openid-configuration", self._configuration),
            Route("/oauth/authorize", self._authorize),
            Route("/oauth/choose", self._choose),
            Route("/oauth/token", self._token, methods=["POST"]),
            Route("/oauth/jwks", self._keys),
        ]
        self._serving = Serving(Starlette(routes=routes))
        self.url = self._serving.url
        """Of the provider."""

    def __enter__(self) -> Self:
        self._serving.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._serving.stop()
        self._serving.join(5.0)

    def environment(self) -> dict[str, str]:
        """What the Hub sets in a Space with `hf_oauth: true`; without SPACE_HOST, which would mean https."""
        return {
            "SYSTEM": "spaces",
            "SPACE_ID": "alice/diffing",
            "OAUTH_CLIENT_ID": CLIENT_ID,
            "OAUTH_CLIENT_SECRET": CLIENT_SECRET,
            "OAUTH_SCOPES": "openid profile contribute-repos",
            "OPENID_PROVIDER_URL": self.url,
        }

    async def _configuration(self, _: Request) -> Response:
        ends = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "jwks_uri": "jwks",
        }
        told = {name: f"{self.url}/oauth/{end}" for name, end in ends.items()}
        return JSONResponse({"issuer": self.url, "id_token_signing_alg_values_supported": ["RS256"], **told})

    async def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        if asked["client_id"] != CLIENT_ID:
            return Response("unknown client", 400)
        ways = {user: f"/oauth/choose?{urlencode(dict(asked) | {'user': user})}" for user in self._users}
        links = "".join(f'<p><a href="{escape(way)}">Continue as {user}</a></p>' for user, way in ways.items())
        return HTMLResponse(f"<title>Sign in</title>{links}")

    async def _choose(self, request: Request) -> Response:
        asked, code = request.query_params, secrets.token_urlsafe()
        self.scopes.append(asked["scope"])
        self._granted[code] = (asked["user"], asked["nonce"])
        joint = "&" if "?" in asked["redirect_uri"] else "?"
        back = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}{joint}{back}")

    async def _token(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        user, nonce = self._granted.pop(form["code"])
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": CLIENT_ID, "sub": user, "nonce": nonce, "iat": now, "exp": now + 3600,
            "name": user.title(), "preferred_username": user, "profile": f"{self.url}/{user}", "picture": "",
        }  # fmt: skip
        signed = jwt.encode({"alg": "RS256", "kid": self._key.kid}, claims, self._key)
        scope = self.environment()["OAUTH_SCOPES"]
        token = {
            "access_token": self._users[user],
            "scope": scope,
            "token_type": "bearer",
            "expires_in": 28800,
            "id_token": signed,
        }
        return JSONResponse(token)

    async def _keys(self, _: Request) -> Response:
        return JSONResponse(KeySet([self._key]).as_dict(private=False))
