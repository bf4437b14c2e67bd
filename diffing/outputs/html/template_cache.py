"""Caches compiled Jinja templates in memory, because compiling a page's templates takes longer than rendering them."""

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class MemoryBytecodeCache(BytecodeCache):
    """Keeps compiled templates by name and source; all environments that share it must have the same options."""

    def __init__(self) -> None:
        self._bytecode: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fills the bucket if its template was compiled before."""
        bytecode = self._bytecode.get((bucket.key, bucket.checksum))
        if bytecode is not None:
            bucket.bytecode_from_string(bytecode)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keeps a compiled template."""
        self._bytecode[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


TEMPLATE_CACHE = MemoryBytecodeCache()
"""The cache that all environments for report pages share."""
