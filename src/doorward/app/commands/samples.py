"""`doorward samples`: made-up pictures for whoever has none at hand."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from doorward.app.context import context_of
from doorward.core.errors import Conflict, Unavailable
from doorward.vision.faces.rendering import render_person
from doorward.vision.plates import Region
from doorward.vision.plates.rendering import render_plate_scene

Drawing = Callable[[], NDArray[np.uint8]]
PEOPLE = {"ada": 0, "ben": 3, "stranger": 47}
PHOTOS = 4
CARS = {"car-known": "KA 47 TRF", "car-unknown": "QT 552 WE"}


def samples(
    ctx: typer.Context,
    into: Path = typer.Argument(Path("samples"), help="A new folder to write into."),
) -> None:
    """Draw made-up people and cars, to try everything without photos of anybody.

    ada, ben and stranger have four pictures each; the plate of car-known is KA 47 TRF, European. Drawings
    resemble each other more than people do: they show how it works, not how well.

    Example: doorward samples
    """
    context = context_of(ctx)
    try:
        into.mkdir(parents=True)
    except FileExistsError as error:
        raise Conflict(f"{into} exists already: name a new folder.") from error
    drawings = _drawings()
    for name in context.each("Drawing", sorted(drawings)):
        _write(into / f"{name}.jpg", drawings[name]())
    context.voice.answer(
        {"folder": str(into), "pictures": len(drawings)}, f"{len(drawings)} made-up pictures are in {into}."
    )


def _drawings() -> dict[str, Drawing]:
    people = {
        f"{name}-{number}": _person(drawing, number)
        for name, drawing in PEOPLE.items()
        for number in range(1, PHOTOS + 1)
    }
    return people | {name: _car(plate, seed) for seed, (name, plate) in enumerate(CARS.items(), 1)}


def _person(drawing: int, moment: int) -> Drawing:
    return lambda: render_person(drawing, moment=moment)


def _car(plate: str, seed: int) -> Drawing:
    return lambda: render_plate_scene(plate, Region.EU, seed=seed)


def _write(path: Path, picture: NDArray[np.uint8]) -> None:
    done, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92])
    assert done
    try:
        path.write_bytes(jpeg.tobytes())
    except OSError as error:
        raise Unavailable(f"{path} could not be written: check the disk and its owner.") from error
