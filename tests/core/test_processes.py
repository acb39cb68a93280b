import subprocess
import sys
from pathlib import Path

import pytest

STATUS = """
import ctypes, resource, sys
sys.argv = ["program", "--help"]
try:
    main()
except SystemExit:
    pass
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


@pytest.mark.parametrize("program", ["doorward.app.cli", "doorward_edge.cli"])
def test_a_process_that_holds_keys_leaves_no_core_file_and_keeps_its_memory(program: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", f"from {program} import main\n{STATUS}"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert told.stdout.splitlines()[-1] == "(0, 0) 0"
