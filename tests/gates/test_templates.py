import numpy as np
import pytest

from doorward.core.encoding import to_text
from doorward.core.errors import Invalid
from doorward.core.wire import FaceEvidence
from doorward.gates.service.known import template_of

WHOLE = np.full(128, 1 / np.sqrt(128), np.float32)


def evidence(template: str) -> FaceEvidence:
    return FaceEvidence(template=template, frames=3, quality=12.0)


def test_a_template_of_length_one_is_taken() -> None:
    assert np.array_equal(template_of(evidence(to_text(WHOLE.tobytes()))), WHOLE)


@pytest.mark.parametrize(
    "template",
    [
        "",
        "!!",
        to_text(WHOLE[:64].tobytes()),
        to_text((WHOLE * 9).tobytes()),
        to_text(np.full(128, np.nan, np.float32).tobytes()),
        to_text(np.zeros(128, np.float32).tobytes()),
    ],
)
def test_numbers_that_would_swell_a_score_are_refused(template: str) -> None:
    with pytest.raises(Invalid):
        template_of(evidence(template))
