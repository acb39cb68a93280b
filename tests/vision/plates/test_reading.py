import numpy as np
import pytest
from numpy.typing import NDArray

from doorward.core.errors import Invalid
from doorward.vision import weights
from doorward.vision.plates import Region, read


@pytest.fixture(scope="module", autouse=True)
def prepared_models() -> weights.Prepared:
    return weights.prepare()


def blank(rows: int, columns: int, level: int = 128) -> NDArray[np.uint8]:
    return np.full((rows, columns, 3), level, np.uint8)


@pytest.mark.parametrize("region", [Region.BR, Region.CN])
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (15, 400), (16, 16), (16, 5000), (5000, 16)])
def test_no_size_is_too_odd(region: Region, rows: int, columns: int) -> None:
    assert read(blank(rows, columns), region=region) == []


@pytest.mark.parametrize("region", [Region.BR, Region.CN])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_even_grey_holds_no_plate(region: Region, level: int) -> None:
    assert read(blank(240, 320, level), region=region) == []


@pytest.mark.parametrize("region", [Region.BR, Region.CN, Region.LATIN])
def test_noise_holds_no_plate(region: Region) -> None:
    noise = np.random.default_rng(7).integers(0, 256, (240, 320, 3), np.uint8)
    assert read(noise, region=region) == []


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((240, 320), np.uint8),
        np.zeros((240, 320, 4), np.uint8),
        np.zeros((240, 320, 3), np.float32),
        np.zeros((0, 320, 3), np.uint8),
        np.zeros((240, 0, 3), np.uint8),
    ],
)
def test_what_is_no_picture_in_colour_is_refused(image: NDArray[np.uint8]) -> None:
    with pytest.raises(Invalid, match="BGR"):
        read(image, region=Region.BR)
