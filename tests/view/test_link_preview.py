"""What chats and feeds see of a link: tags in the first HTML, and a picture."""

import re
import urllib.error
import urllib.request
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest

from diffing.outputs.headline import headline
from diffing.report import load_report
from diffing.report.index import index_of
from diffing.view.examples import example_folder
from diffing.view.runs import PUBLIC
from tests.view.served import served
from tests.waiting import DEADLINE


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=DEADLINE) as response:
        return bytes(response.read())


def tags(page: bytes) -> dict[str, list[str]]:
    """The contents of all tags of a page, by name."""
    found: dict[str, list[str]] = {}
    for name, content in re.findall(r'<meta\s+(?:property|name)="([^"]*)"\s+content="([^"]*)"', page.decode()):
        found.setdefault(name, []).append(unescape(content))
    return found


def test_links_say_what_they_show(tmp_path: Path) -> None:
    with served(tmp_path / "site", rules=PUBLIC, workers=0) as at:
        start, result = tags(fetched(at.url)), tags(fetched(f"{at.url}?example=planted"))
        assert start["og:title"] == ["How do two models behave differently?"]
        assert "og:image" not in start
        assert "Gradio" not in "".join(start["og:title"] + start["og:description"] + start.get("twitter:title", []))
        (title,), (picture,) = result["og:title"], result["og:image"]
        assert headline(load_report(example_folder("planted"))).startswith(title.rstrip("…"))
        assert result["og:url"] == [f"{at.url}?example=planted"]
        assert picture == f"{at.url}link-preview.png?example=planted"
        assert fetched(picture).startswith(b"\x89PNG")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            fetched(f"{at.url}link-preview.png?example=nothing")


def test_a_result_in_a_frame_needs_no_app_and_may_be_framed(tmp_path: Path) -> None:
    with served(tmp_path / "site", rules=PUBLIC, workers=0) as at:
        with urllib.request.urlopen(f"{at.url}?embed=1&example=planted", timeout=DEADLINE) as response:
            page, headers = response.read().decode(), response.headers
        (policy,) = headers.get_all("content-security-policy")
        assert "default-src 'none'" in policy
        assert "frame-ancestors *" in policy
        assert "sandbox" in policy
        assert headers["content-type"].startswith("text/html")
        assert "gradio" not in page.lower()
        assert len(page) < 60_000
        assert 'href="?example=planted"' in page
        finding = index_of(load_report(example_folder("planted"))).differences[1].lead.hypothesis.id
        alone = fetched(f"{at.url}?embed=1&example=planted&finding={quote(finding)}").decode()
        assert (page.count('<li class="line'), alone.count('<li class="line')) == (12, 1)
        assert fetched(f"{at.url}?embed=1&example=planted&finding=%3Cscript%3E").decode() == page
        for nothing in ("run=nothing", "example=%3Cscript%3E", "a=x&b=y", ""):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                fetched(f"{at.url}?embed=1&{nothing}")
        assert "gradio" in fetched(f"{at.url}?embed=0&example=planted").decode().lower()
        badge = fetched(f"{at.url}badge.svg?example=planted").decode()
        assert "<title>diffing: 20 differences</title>" in badge
        assert "no difference found" in fetched(f"{at.url}badge.svg?example=itself").decode()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            fetched(f"{at.url}badge.svg?example=nothing")


def test_hostile_queries_stay_text(tmp_path: Path) -> None:
    with served(tmp_path / "site", rules=PUBLIC, workers=0) as at:
        for query in ("run=%22%3E%3Cscript%3E", "diff=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "a=%3C/head%3E&b=x"):
            page = fetched(f"{at.url}?{query}").decode()
            assert page.count("</head>") == 1
            assert "<script>alert(1)" not in page.partition("</head>")[0]
            assert tags(page.encode())["og:title"] == ["How do two models behave differently?"]
