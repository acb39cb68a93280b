import ast
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOOK = (
    "from doorward.vision.faces import detect\n"
    "from doorward.vision.faces.rendering import render_person\n"
    "assert detect(render_person(3))\n"
)


def test_looking_at_a_picture_leaves_no_file_anywhere(tmp_path: Path) -> None:
    """The inference library's telemetry would number this machine and keep a database in the home folder."""
    folders = {name: str(tmp_path / name) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME")}
    for folder in folders.values():
        Path(folder).mkdir()
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        env=os.environ | folders | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_nothing_loads_the_inference_library_but_the_one_that_silences_it() -> None:
    loaders = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Import) and any(a.name.startswith("onnxruntime") for a in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("onnxruntime"))
    }
    assert loaders == {"doorward/vision/runtime.py"}
