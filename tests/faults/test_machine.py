"""The machine fails: disk, cache, kills, three runs at once. What is in the end is what an undisturbed run gives."""

import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from diffing.models.text_store import is_whole
from tests.cli.world import World
from tests.faults.machine import Undisturbed, contents, end, questions, stored, undisturbed
from tests.fewer import fewer
from tests.servers.openai_server import OpenAIServer
from tests.starter import Starter
from tests.waiting import until


@pytest.fixture(scope="module")
def whole(starter: Starter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
    with OpenAIServer(World()) as server:
        yield undisturbed(starter, server, tmp_path_factory.mktemp("whole"))


@pytest.fixture
def cache(whole: Undisturbed, tmp_path: Path) -> Path:
    """A copy of the cache of the undisturbed run, all of it in one file."""
    shutil.copytree(whole.folder / "cache", tmp_path / "cache")
    with sqlite3.connect(file(tmp_path / "cache")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return tmp_path / "cache"


def file(cache: Path) -> Path:
    return cache / "completions.sqlite"


@pytest.mark.parametrize("size", fewer([4_000, 60_000], [4_000]))
def test_the_disk_is_full_and_has_room_again(whole: Undisturbed, tmp_path: Path, size: int) -> None:
    before = whole.server.count
    code = whole.start(tmp_path, file_size=size).wait(300)
    said = (tmp_path / "1.err").read_text()
    assert "Traceback" not in said
    assert code == 2, said
    assert said.count("WARNING") <= 1  # the cache cannot be written
    last = said.splitlines()[-1]
    assert last.startswith("diffing: Cannot ")
    assert f"{tmp_path / 'out'}" in last
    assert "File too large" in last
    assert said.count("diffing: ") == 1
    assert whole.server.count > before
    kept, before = stored(tmp_path / "cache"), whole.server.count
    whole.finish(tmp_path)
    assert whole.server.count - before == whole.asked.total() - kept


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs /proc, which nobody can write to")
def test_folders_that_cannot_be_written_to(whole: Undisturbed, tmp_path: Path) -> None:
    """Modes do not keep an administrator out; /proc does."""
    said = whole.finish(tmp_path, cache=Path("/proc/self/cache"))
    assert said.startswith("WARNING  The cache /proc/self/cache/completions.sqlite cannot be written")
    done = whole.starter.run([*whole.command, "--out", "/proc/self/task"], {"DIFFING_CACHE": str(tmp_path / "cache")})
    assert done.returncode == 2
    assert done.stderr.startswith("diffing: Cannot save the report in /proc/self/task")
    assert done.stderr.count("\n") == 1


def test_bits_flip_in_the_cache(whole: Undisturbed, cache: Path, tmp_path: Path) -> None:
    draw, content = random.Random(3), bytearray(file(cache).read_bytes())
    for _ in range(12):
        content[draw.randrange(4096, len(content))] ^= 1 << draw.randrange(8)
    file(cache).write_bytes(bytes(content))
    with sqlite3.connect(file(cache)) as database:
        database.text_factory = lambda raw: raw.decode(errors="replace")
        try:
            rows = database.execute("SELECT key, value, checksum FROM texts NOT INDEXED").fetchall()
            damaged = whole.asked.total() - sum(is_whole(*row) for row in rows)
        except sqlite3.DatabaseError:
            damaged = 40  # the rows of a page or two
    before = whole.server.count
    whole.finish(tmp_path)
    assert whole.server.count - before <= damaged + 12  # a flip in the index hides a whole row


def test_the_cache_is_of_the_older_layout(whole: Undisturbed, cache: Path, tmp_path: Path) -> None:
    with sqlite3.connect(file(cache)) as database:
        rows = database.execute("SELECT key, value FROM texts").fetchall()
    shutil.rmtree(cache)
    cache.mkdir()
    with sqlite3.connect(file(cache)) as database:
        database.execute("CREATE TABLE texts (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
        database.executemany("INSERT INTO texts VALUES (?, ?)", rows)
    before = whole.server.count
    assert "WARNING" not in whole.finish(tmp_path)
    assert whole.server.count == before


def test_the_cache_is_locked_for_a_while(whole: Undisturbed, cache: Path, tmp_path: Path) -> None:
    """Another process writes to it until a model has been asked."""
    with sqlite3.connect(file(cache), isolation_level=None) as other:
        other.execute("DELETE FROM texts")
        other.execute("BEGIN IMMEDIATE")
        before = whole.server.count
        process = whole.start(tmp_path)
        until(lambda: whole.server.count > before or process.poll() is not None)
        other.execute("COMMIT")
    assert process.wait(300) == 0, (tmp_path / "1.err").read_text()
    assert contents(tmp_path / "out") == whole.files
    assert stored(tmp_path / "cache") == whole.asked.total()


@pytest.mark.slow
def test_three_runs_at_once_into_one_folder(whole: Undisturbed, tmp_path: Path) -> None:
    before = len(whole.server.requests)
    whole.server.answer = World(pause=0.002)
    try:
        three = [whole.start(tmp_path, name=str(number)) for number in range(3)]
        codes = [process.wait(300) for process in three]
    finally:
        whole.server.answer = World()
    said = [(tmp_path / f"{number}.err").read_text() for number in range(3)]
    assert codes == [0, 0, 0], said
    assert sum("Another run is writing its report to" in text for text in said) == 2
    assert contents(tmp_path / "out") == whole.files
    assert questions(whole.server, before) == whole.asked


def test_a_run_that_waits_goes_on_when_the_other_is_killed(whole: Undisturbed, tmp_path: Path) -> None:
    whole.server.answer, before = World(pause=0.01), whole.server.count
    try:
        first = whole.start(tmp_path, name="0")
        until(lambda: whole.server.count > before + 5)
        second = whole.start(tmp_path)
        until(lambda: (tmp_path / "1.err").exists() and "Another run" in (tmp_path / "1.err").read_text())
        assert end(first, signal.SIGKILL) == -signal.SIGKILL
        whole.server.answer = World()
        assert second.wait(300) == 0, (tmp_path / "1.err").read_text()
    finally:
        whole.server.answer = World()
    assert contents(tmp_path / "out") == whole.files
    assert whole.server.count - before <= whole.asked.total() + 1


def killed_often(whole: Undisturbed, folder: Path, kills: int, draw: random.Random) -> int:
    """Kills runs at moments all over, from their start to their end; how many of them were killed.

    A run that ends before its kill must have given what the undisturbed one gave; the next one begins from nothing.
    """
    made = lives = 0
    whole.server.answer = World(pause=0.003)
    while made < kills:
        life, own, begun = folder / f"life{lives}", 0, len(whole.server.requests)
        life.mkdir()
        while made < kills:
            process = whole.start(life)
            # the first second or two are imports and, where all is in the cache, the methods and the save
            moment = time.monotonic() + draw.uniform(0, 3.0)
            while time.monotonic() < moment and process.poll() is None:
                time.sleep(0.005)
            if process.poll() is not None:
                break
            end(process, signal.SIGKILL)
            made, own = made + 1, own + 1
        whole.finish(life)
        asked = questions(whole.server, begun)
        assert asked.keys() == whole.asked.keys()
        assert (asked - whole.asked).total() <= own  # a kill loses the answer under way, and no other
        lives += 1
    whole.server.answer = World()
    return made


@pytest.mark.slow
def test_three_kills_lose_nothing(whole: Undisturbed, tmp_path: Path) -> None:
    assert killed_often(whole, tmp_path, 3, random.Random(1)) == 3


@pytest.mark.slow
def test_fifty_kills_lose_nothing(whole: Undisturbed, tmp_path: Path) -> None:
    assert killed_often(whole, tmp_path, 50, random.Random(2)) == 50


@pytest.mark.slow
def test_the_cache_stays_locked(whole: Undisturbed, cache: Path, tmp_path: Path) -> None:
    """Nothing can be stored, which is told; what was stored is found, and the report is the same."""
    with sqlite3.connect(file(cache), isolation_level=None) as other:
        other.execute("DELETE FROM texts WHERE number % 2 = 0")
        other.execute("BEGIN IMMEDIATE")
        before, kept = len(whole.server.requests), stored(cache)
        said = whole.finish(tmp_path)
        other.execute("ROLLBACK")
    # without a place to keep them, some answers are needed twice within the run
    assert len(questions(whole.server, before)) == whole.asked.total() - kept
    assert "cannot be written (database is locked)" in " ".join(said.split())
