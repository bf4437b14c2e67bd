"""Gradio without the type stubs that it writes beside its components whenever they are imported.

Parsing its own source for that is half of what its import costs; only editors read the result.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

MODULE = "gradio.component_meta"


class _WithoutStubs(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        assert callable(module.create_or_modify_pyi)
        module.create_or_modify_pyi = lambda *_: None


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != MODULE:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = _WithoutStubs(fullname, spec.origin)
        return spec


def skip_stubs() -> None:
    """Call it before the first import of Gradio; a process that was forked from one that did need not."""
    if any(isinstance(each, _Finder) for each in sys.meta_path):
        return
    assert MODULE not in sys.modules
    sys.meta_path.insert(0, _Finder())


def skip_unused_apps() -> None:
    """Gradio makes three apps of a page before the one that `launch` serves; each takes a tenth of a second."""
    from gradio.routes import App

    whole = App.create_app

    def create_app(blocks: Any, **options: Any) -> Any:
        return None if options == {"mcp_server": False} else whole(blocks, **options)

    App.create_app = staticmethod(create_app)
