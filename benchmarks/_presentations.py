"""Made-up presentations to a camera: pictures of faces turned, tilted and bent, and heads turned in depth."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
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


def eyes_shut(photo: Image, landmarks: NDArray[np.float32], share: float) -> Image:
    """The same face with lids drawn over a share (0 to 1) of the eyes' openings, shut with a lash line."""
    out = photo.copy()
    across = landmarks[1] - landmarks[0]
    eyes, angle = float(np.hypot(*across)), float(np.degrees(np.arctan2(across[1], across[0])))
    for eye in landmarks[:2]:
        centre = (round(float(eye[0])), round(float(eye[1])))
        axes = (round(0.27 * eyes), max(1, round(0.15 * eyes)))
        mask = np.zeros(photo.shape[:2], np.uint8)
        cv2.ellipse(mask, centre, axes, angle, 0, 360, 255, -1)
        lid = cv2.inpaint(photo, mask, 5, cv2.INPAINT_TELEA)
        if share >= 1.0:
            lash = (centre[0], centre[1] + round(0.05 * eyes))
            cv2.ellipse(
                lid, lash, (axes[0] - 3, max(1, axes[1] // 3)), angle, 20, 160, (40, 40, 45), 2, cv2.LINE_AA
            )
        lid = cv2.GaussianBlur(lid, (0, 0), 0.8)
        edge = centre[1] - axes[1] + 2 * axes[1] * share
        mask[round(edge) :] = 0
        out[mask > 0] = lid[mask > 0]
    return out


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
