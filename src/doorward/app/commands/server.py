"""`doorward serve` and `doorward demo`: the running server.

Web server, routes and demo are a third of all that is imported, and only these two commands need them: each
imports them itself, so that the others begin sooner.
"""

import typer

from doorward.app.context import context_of
from doorward.app.house import create_house


def serve(ctx: typer.Context) -> None:
    """Serve this site over HTTPS until stopped; prints where, and a link for the first administrator.

    Example: doorward serve
    """
    from doorward.app.serve import serve as run  # noqa: PLC0415

    context = context_of(ctx)
    with context.house() as house:
        run(house, context.voice)


def demo(ctx: typer.Context) -> None:
    """Start a site of made-up people whose gates move by themselves, in --folder.

    Example: doorward --folder var demo
    """
    from doorward.app.demo import Demo  # noqa: PLC0415
    from doorward.app.serve import serve as run  # noqa: PLC0415

    context = context_of(ctx)
    if not (context.folder / "keys").exists():
        create_house(context.folder).close()
    with context.house() as house:
        beside = Demo(house)
        beside.furnish()
        beside.start()
        try:
            run(house, context.voice, beside=beside.lines)
        finally:
            beside.stop()
