"""`matcher.index.milvus_connection` and `distributed`: wrong places, other processes, kills, pymilvus's habits."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from matcher.index.base import IndexUnreachable
from matcher.index.distributed import open_distributed
from matcher.index.milvus import MilvusIndex
from tests.matcher.index.conformance import DIMENSION, MODEL, entries


def test_nobody_there() -> None:
    with pytest.raises(IndexUnreachable, match="connecting") as raised:
        MilvusIndex("http://127.0.0.1:9", MODEL, DIMENSION, token="name:secret", timeout_seconds=1)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("ftp://milvus.example", "http"),
        ("http://", "http"),
        ("http://name:secret@milvus.example:19530", "token apart"),
        ("index.sqlite", r"ends in \.db"),
    ],
)
def test_wrong_locations(location: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as raised:
        MilvusIndex(location, MODEL, DIMENSION)
    assert "secret" not in str(raised.value)


def test_a_file_of_another_process_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "index.db")
    with _child(f"index = MilvusIndex({path!r}, 'm', 8); print('open', flush=True); input()") as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        with pytest.raises(IndexUnreachable, match="another process"):
            MilvusIndex(path, MODEL, DIMENSION)
        child.kill()


def test_a_kill_leaves_the_watermark_behind_the_faces(tmp_path: Path) -> None:
    """Killed with -9 while it adds: whatever the watermark says was added is there."""
    path = str(tmp_path / "index.db")
    program = f"""
index = MilvusIndex({path!r}, 'model-1', 8)
start = index.watermark.positions.get("seq", 0)
for number in range(start, start + 1000):
    index.add(entries(10, number))
    index.mark(Watermark({{"seq": number + 1}}))
    print(number + 1, flush=True)
"""
    said = 0
    for lines in (3, 1, 7):
        with _child(program) as child:
            assert child.stdout is not None
            for _ in range(lines):
                said = int(child.stdout.readline())
            child.kill()
        index = MilvusIndex(path, MODEL, DIMENSION)
        marked = index.watermark.positions["seq"]
        assert marked >= said
        assert index.ids() >= {entry.face_id for number in range(marked) for entry in entries(10, number)}
        index.close()


def test_the_library_brings_nothing_along(tmp_path: Path) -> None:
    """pymilvus reads a `.env` beside it at import, and logs failed calls with their filters: neither happens here."""
    program = tmp_path / "program.py"
    program.write_text(
        "import logging, os, dotenv, dotenv.main\n"
        "def found(*arguments, **named):\n"
        "    return FILE\n"
        f"FILE = {str(tmp_path / '.env')!r}\n"
        "dotenv.main.find_dotenv = found\n"
        "import matcher.index.milvus\n"
        "print(os.environ.get('GUITU_FROM_DOTENV'), os.environ.get('PYTHON_DOTENV_DISABLED'))\n"
        "print([type(h).__name__ for h in logging.getLogger('pymilvus').handlers])\n"
    )
    (tmp_path / ".env").write_text("GUITU_FROM_DOTENV=yes\n")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    said = subprocess.run([sys.executable, program], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.splitlines() == ["None None", "['NullHandler']"]
    # The trap is real: without the switch the library reads the file.
    bare = program.read_text().replace("import matcher.index.milvus", "import pymilvus")
    program.write_text(bare)
    said = subprocess.run([sys.executable, program], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[0] == "yes None"


def test_opened_by_the_name_of_a_plan(tmp_path: Path) -> None:
    index = open_distributed(str(tmp_path / "index.db"), MODEL, DIMENSION, plan="exact")
    assert index.version == "milvus-flat-1"
    index.close()
    with pytest.raises(ValueError, match="exact, graph, cells"):
        open_distributed(str(tmp_path / "index.db"), MODEL, DIMENSION, plan="tree")


def test_without_the_package_the_remedy_is_said() -> None:
    program = (
        "import sys; sys.modules['pymilvus'] = None\n"
        "from matcher.index import distributed\n"
        "import importlib.util\n"
        "distributed.find_spec = lambda name: None\n"
        "try:\n    distributed.open_distributed('x.db', 'm', 8)\n"
        "except distributed.DistributedIndexUnavailable as error:\n    print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "pip install 'guitu[milvus]'" in said.stdout


def _child(program: str) -> subprocess.Popen[str]:
    imports = (
        "from matcher.index.base import Watermark\nfrom matcher.index.milvus import MilvusIndex\n"
        "from tests.matcher.index.conformance import entries\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", imports + program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
