from pathlib import Path

import pytest

from doorward.app.reference import pages

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", sorted(pages()))
def test_the_reference_is_fresh(name: str) -> None:
    written = (REFERENCE / name).read_text() if (REFERENCE / name).exists() else ""
    assert written == pages()[name], "run `make reference`"
