"""Made-up presentations to a camera: pictures of faces turned, tilted and bent, and heads turned in depth."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Points = NDArray[np.float64]
Fill = Image | tuple[int, int, int]
GREY = (120, 120, 120)


def flat(photo: Image, yaw: float, pitch: float = 0.0, roll: float = 0.0, distance: float = 4.0) -> Image:
    """A photo of half-width 1, turned by angles (degrees), seen by a camera at `distance`."""
    height, width = photo.shape[:2]
    turn = np.eye(3)
    for axis, angle in ((2, roll), (1, yaw), (0, pitch)):
        turn = cv2.Rodrigues(np.eye(3)[axis] * np.radians(angle))[0] @ turn
    corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], float) @ turn.T
    focal = distance * width * 0.4
    depth = corners[:, 2] + distance
    seen = np.stack(
        [corners[:, 0] / depth * focal + width / 2, corners[:, 1] / depth * focal + height / 2], axis=1
    )
    before = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(before, seen.astype(np.float32))
    return np.asarray(cv2.warpPerspective(photo, matrix, (width, height), borderValue=GREY), np.uint8)


def bent(photo: Image, yaw: float, radius: float, distance: float = 4.0) -> Image:
    """The same photo bent around a cylinder of `radius` (in half-widths), turned by `yaw` degrees."""
    across = np.linspace(-1, 1, 201)
    sideways, depth = radius * np.sin(across / radius), radius * (1 - np.cos(across / radius))
    rows = np.array([-1.0, 1.0])
    grid = np.stack(np.broadcast_arrays(sideways, rows[:, None], depth), axis=-1)
    return _draw(photo, grid, yaw, distance)


def head(photo: Image, landmarks: NDArray[np.float32], yaw: float, distance: float = 6.0) -> Image:
    """A frontal face given the depth of a mean head (an ellipsoid with a nose) and turned by `yaw` degrees.

    Positive is the person's left. Only as true as that depth: hidden skin is stretched, not invented.
    """
    height, width = photo.shape[:2]
    eyes = float(np.hypot(*(landmarks[1] - landmarks[0])))
    centre = landmarks[[0, 1, 3, 4]].mean(axis=0)
    columns, rows = np.meshgrid(np.linspace(0, width, 61), np.linspace(0, height, 61))
    x, y = (columns - centre[0]) / eyes, (rows - centre[1]) / eyes
    skull = 1.25 * np.sqrt(np.clip(1 - (x / 1.25) ** 2 - (y / 1.75) ** 2, 0.0, 1.0))
    nose_x, nose_y = (landmarks[2] - centre) / eyes
    nose = 0.32 * np.exp(-(((x - nose_x) / 0.2) ** 2) - ((y - nose_y) / 0.28) ** 2)
    unit = 2 * eyes / width
    grid = np.stack([x * unit, y * unit, (0.9 - skull - nose) * unit], axis=-1)
    return _draw(photo, grid, -yaw, distance)


def _draw(photo: Image, grid: NDArray[np.float64], yaw: float, distance: float) -> Image:
    """The photo on a surface of quads, the far ones painted first."""
    height, width = photo.shape[:2]
    turned = grid @ cv2.Rodrigues(np.array([0.0, np.radians(yaw), 0.0]))[0].T
    depth = turned[..., 2] + distance
    focal = distance * width * 0.4
    seen = np.stack(
        [turned[..., 0] / depth * focal + width / 2, turned[..., 1] / depth * focal + height / 2], axis=-1
    )
    return _paint(photo, seen.astype(np.float32), depth)


def _paint(photo: Image, seen: NDArray[np.float32], depth: NDArray[np.float64]) -> Image:
    height, width = photo.shape[:2]
    rows, columns = depth.shape[0] - 1, depth.shape[1] - 1
    far_first = np.argsort(-(depth[:-1, :-1] + depth[1:, 1:]).ravel())
    where = np.full((height, width, 2), -1.0, np.float32)
    for place in far_first:
        row, column = divmod(int(place), columns)
        quad = seen[row : row + 2, column : column + 2].reshape(4, 2)[[0, 1, 3, 2]]
        if (quad[1, 0] - quad[0, 0]) <= 0:
            continue
        _quad(where, quad, (column / columns * width, row / rows * height), (width / columns, height / rows))
    across, down = np.ascontiguousarray(where[..., 0]), np.ascontiguousarray(where[..., 1])
    out = cv2.remap(photo, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    out[where[..., 0] < 0] = GREY
    return np.asarray(out, np.uint8)


def _quad(
    where: NDArray[np.float32],
    quad: NDArray[np.float32],
    origin: tuple[float, float],
    size: tuple[float, float],
) -> None:
    """Write, for the pixels of one quad, which place of the photo they show."""
    height, width = where.shape[:2]
    low = np.maximum(np.floor(quad.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(quad.max(axis=0)).astype(int) + 1, [width, height])
    if (high <= low).any():
        return
    x, y = np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1]))
    mask = np.zeros(x.shape, np.uint8)
    cv2.fillConvexPoly(mask, np.round(quad - low).astype(np.int32), 1)
    corners = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32)
    back = cv2.getPerspectiveTransform(quad, corners)
    points = cv2.perspectiveTransform(np.stack([x, y], -1).reshape(1, -1, 2).astype(np.float32), back)
    inside = mask > 0
    part = where[low[1] : high[1], low[0] : high[0]]
    part[inside] = (points[0].reshape(*x.shape, 2) + origin)[inside]


def eyes_shut(photo: Image, outlines: list[tuple[Points, Points]], share: float, lash: float = 0.7) -> Image:
    """The same face with upper lids drawn over a share (0 to 1) of the eyes, each edge with a lash line.

    `outlines`: each eye's upper and lower edge, corner to corner. The lid is the skin around the opening.
    """
    out: NDArray[np.uint8] = np.array(photo)
    eyes = float(np.hypot(*(outlines[1][0].mean(axis=0) - outlines[0][0].mean(axis=0))))
    for upper, told in outlines:
        lower = np.where(told[:, 1:] >= upper[:, 1:], told, upper)
        eye = np.zeros(photo.shape[:2], np.uint8)
        cv2.fillPoly(eye, [np.round(np.vstack([upper, lower[::-1]])).astype(np.int32)], 255)
        wide = max(3, round(0.11 * eyes)) | 1
        opening = cv2.dilate(eye, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide, wide)))
        lid = cv2.GaussianBlur(cv2.inpaint(photo, opening, 3, cv2.INPAINT_TELEA), (0, 0), 0.04 * eyes)
        edge = upper + share * (lower - upper)
        lidded = _above(edge, eyes, photo.shape[:2]) * (opening > 0)
        covered = cv2.GaussianBlur(lidded, (0, 0), 0.8)[..., None]
        line = np.zeros(photo.shape[:2], np.float32)
        cv2.polylines(line, [_eighths(edge)], False, 1.0, max(1, round(0.028 * eyes)), cv2.LINE_AA, 3)
        dark = lash * cv2.GaussianBlur(line, (0, 0), 0.8)[..., None]
        drawn = (lid * covered + out * (1 - covered)) * (1 - dark) + 0.25 * lid * dark
        out = np.asarray(np.clip(drawn, 0, 255), np.uint8)
    return out


def _above(edge: Points, eyes: float, size: tuple[int, ...]) -> NDArray[np.float32]:
    """1 above the lid's edge, a little wider than the eye."""
    beside, up = np.array([0.06 * eyes, -0.02 * eyes]), np.array([0, 0.3 * eyes])
    ring = [*edge, edge[-1] + beside, edge[-1] - up, edge[0] - up, edge[0] + beside * [-1, 1]]
    mask = np.zeros(size, np.float32)
    cv2.fillPoly(mask, [_eighths(np.array(ring))], 1.0, cv2.LINE_8, 3)
    return mask


def _eighths(points: Points) -> NDArray[np.int32]:
    """For OpenCV's drawing with three fractional bits."""
    return np.round(points * 8).astype(np.int32)


def strip(photo: Image, landmarks: NDArray[np.float32], fill: Fill, above: float, below: float) -> Image:
    """A strip laid over the eyes, from so many eye distances above their line to so many below it.

    Filled with a colour, or with what another picture of the same size shows there.
    """
    across = (landmarks[1] - landmarks[0]).astype(np.float64)
    down = np.array([-across[1], across[0]])
    left, right = landmarks[0] - 0.8 * across, landmarks[1] + 0.8 * across
    corners = np.array([left - above * down, right - above * down, right + below * down, left + below * down])
    mask = np.zeros(photo.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, _eighths(corners), 255, cv2.LINE_8, 3)
    out = photo.copy()
    out[mask > 0] = fill if isinstance(fill, tuple) else fill[mask > 0]
    return out


def laid_over(photo: Image, landmarks: NDArray[np.float32], other: Image, its: NDArray[np.float32]) -> Image:
    """Another picture, moved so that its eyes lie over the photo's."""
    before, after = its[:2].astype(np.float64), landmarks[:2].astype(np.float64)
    old, new = complex(*(before[1] - before[0])), complex(*(after[1] - after[0]))
    turn = new / old
    matrix = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    shift = after[0] - matrix @ before[0]
    moved = cv2.warpAffine(
        other,
        np.hstack([matrix, shift[:, None]]),
        photo.shape[1::-1],
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(moved, np.uint8)


def as_bright(picture: Image, photo: Image, place: NDArray[np.bool_]) -> Image:
    """A picture in the photo's light, by what both show at a place."""
    ratio = photo[place].mean(axis=0) / np.maximum(picture[place].mean(axis=0), 1.0)
    return np.asarray(np.clip(picture * ratio, 0, 255), np.uint8)


def with_eyes_of(
    photo: Image, landmarks: NDArray[np.float32], other: Image, its: NDArray[np.float32]
) -> Image:
    """The photo with another picture's eyes in place of its own, softly blended."""
    eyes = float(np.hypot(*(landmarks[1] - landmarks[0])))
    place = np.zeros(photo.shape[:2], np.float32)
    for eye in landmarks[:2].astype(int).tolist():
        cv2.ellipse(place, eye, (int(0.3 * eyes), int(0.18 * eyes)), 0, 0, 360, 1.0, -1)
    share = np.asarray(cv2.GaussianBlur(place, (0, 0), 0.05 * eyes))[..., None]
    lent = as_bright(laid_over(photo, landmarks, other, its), photo, share[..., 0] > 0.5)
    return np.asarray(photo * (1 - share) + lent * share, np.uint8)


def flexed(photo: Image, chance: np.random.Generator) -> Image:
    """A photo on paper that is bent and rocked while the camera looks."""
    return bent(photo, float(np.clip(chance.normal(0, 6), -14, 14)), chance.uniform(1.0, 3.0))


def held(photo: Image, chance: np.random.Generator) -> Image:
    """What a camera sees of something held nearly still: small movements, flicker and noise."""
    size = photo.shape[1::-1]
    matrix = cv2.getRotationMatrix2D(
        (size[0] / 2, size[1] / 2), chance.normal(0, 0.7), 1 + chance.normal(0, 0.006)
    )
    matrix[:, 2] = matrix[:, 2] + chance.normal(0, 1.5, 2)
    seen = cv2.warpAffine(photo, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    noisy = seen * chance.normal(1, 0.015) + chance.normal(0, 3, seen.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def shaken(photo: Image, chance: np.random.Generator) -> Image:
    """A photo held by a hand: moved, tilted, nearer and farther, blurred, in flickering light, with noise."""
    seen = flat(
        photo, chance.normal(0, 5), chance.normal(0, 6), chance.normal(0, 4), chance.uniform(3.5, 4.5)
    )
    moved = np.array([[1, 0, chance.normal(0, 5)], [0, 1, chance.normal(0, 5)]], np.float32)
    seen = np.asarray(cv2.warpAffine(seen, moved, seen.shape[1::-1], borderValue=GREY), np.uint8)
    seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), chance.uniform(0.3, 1.5)), np.uint8)
    noisy = seen * chance.uniform(0.9, 1.1) + chance.normal(0, 3, seen.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)
