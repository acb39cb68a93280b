"""The explanation as HTML: no script, no other origin, and a policy that enforces both."""

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined

from doorward.vision.explain.panels import Picture, Stage

_TEMPLATES = files("doorward.vision.explain") / "templates"
_ENVIRONMENT = Environment(
    loader=FunctionLoader(lambda name: (_TEMPLATES / name).read_text(encoding="utf-8")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(overview: Picture, stages: Sequence[Stage], *, region: str) -> str:
    """The whole page."""
    style = (_TEMPLATES / "page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    return _ENVIRONMENT.get_template("page.html").render(
        overview=overview,
        stages=stages,
        region=region,
        policy=policy,
        style=style,
    )
