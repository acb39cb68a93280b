"""Made-up clips: frame number i is shown as its grey value."""

from pathlib import Path

import av
import numpy as np


def make_clip(
    path: Path,
    *,
    frames: int = 50,
    codec: str = "mpeg4",
    size: tuple[int, int] = (160, 96),
    rotation: int | None = None,
    noisy: bool = False,
) -> Path:
    noise = np.random.default_rng(1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.gop_size = 10
        if rotation is not None:
            stream.set_display_rotation(rotation)
        for number in range(frames):
            picture = np.full((size[1], size[0], 3), number * 4 % 256, np.uint8)
            picture[: size[1] // 3] = (0, 0, 255)
            if noisy:
                picture = noise.integers(0, 256, picture.shape, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    return path
