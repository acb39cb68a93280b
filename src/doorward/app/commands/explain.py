"""`doorward explain`: every stage of recognition as pictures."""

from pathlib import Path

import typer

from doorward.app.context import context_of
from doorward.vision.explain import explain as write_page
from doorward.vision.plates import Region


def explain(
    ctx: typer.Context,
    image: Path = typer.Argument(help="The picture to explain."),
    out: Path = typer.Option(
        Path("explained.html"), help="The page to write; it shows faces, so keep it safe."
    ),
    region: Region = typer.Option(Region.EU, help="Whose plates to expect."),
) -> None:
    """Write a page that shows what was found in a picture, how good it is, and why it would be refused.

    Example: doorward explain lane.jpg --region eu --out explained.html
    """
    page = write_page(image, region=region.value, out=out)
    context_of(ctx).voice.answer({"page": str(page)}, f"Open {page} in a browser.")
