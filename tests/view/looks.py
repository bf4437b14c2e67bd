"""What a browser test looks at beside its own journey: accessibility by axe-core, layout, pictures."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
"""`npm install --no-save axe-core` in the repository puts it there."""


def serious_violations(
    page: Any, *, rules: Sequence[str] = (), within: str = "", beside: Sequence[str] = ()
) -> list[str]:
    """What axe-core finds serious or critical on the page as it stands, one line each; skips where it is absent.

    Args:
        page: Of Playwright.
        rules: Only these; all where there are none.
        within: Where, as a selector; everywhere if it is empty.
        beside: What is not looked at, as selectors.
    """
    if not AXE.exists():
        pytest.skip("needs axe-core: npm install --no-save axe-core")
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    options: dict[str, object] = {"resultTypes": ["violations"], "runOnly": list(rules)}
    if not rules:
        del options["runOnly"]
    where: dict[str, object] = {"exclude": [[each] for each in beside]}
    if within:
        where["include"] = [[within]]
    asked = [where, options]
    found = page.evaluate("([where, options]) => axe.run(where, options)", asked)["violations"]
    return [
        f"{each['id']}: {node['html'][:200]} {node['any'][0]['message'] if node['any'] else ''}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def fits(page: Any) -> bool:
    """Whether nothing has to be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def picture(page: Any, name: str, *, whole: bool = True) -> None:
    """Keeps a picture as `<name>.png` in the folder that DIFFING_SCREENSHOTS names, if it does.

    Args:
        page: Of Playwright.
        name: Of the picture.
        whole: Of all of the page, and not only of what is in view.
    """
    if folder := os.environ.get("DIFFING_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=whole)
