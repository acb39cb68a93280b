"""Pictures without a plate: signs, badges, posters, labels and noise; frames with plates painted over."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from doorward.vision.model import Box

Picture = NDArray[np.uint8]

WORDS = (
    "PARKING EXIT OPEN CLOSED SALE PIZZA BAR TAXI HOTEL RECEPTION LIFT STAIRS GATE OFFICE VISITOR STAFF "
    "SECURITY WELCOME MARKET BAKERY REPAIR SERVICE CARWASH TYRES FUEL DIESEL BUS STATION FLOOR ROOM DESK CALL"
)
KINDS = ("sign", "badge", "poster", "label", "noise")
_HANDS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX)
_BOARDS = ((245, 245, 245), (30, 60, 160), (20, 20, 20), (190, 30, 30), (240, 200, 40), (30, 110, 60))


def made_up(seed: int, size: tuple[int, int] = (960, 540)) -> tuple[str, Picture]:
    """The kind and the picture (BGR) that belong to a seed; kinds take turns."""
    chance = np.random.default_rng(seed)
    kind = KINDS[seed % len(KINDS)]
    picture = _background(chance, size)
    if kind == "noise":
        grain = chance.integers(0, 256, (size[1] // 4, size[0] // 4, 3), np.uint8)
        return kind, np.asarray(cv2.resize(grain, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    draw = {"sign": _sign, "badge": _badge, "poster": _poster, "label": _label}[kind]
    for _ in range(int(chance.integers(1, 4))):
        picture = _hang(picture, draw(chance), chance)
    grain = chance.normal(0, chance.uniform(1, 8), picture.shape)
    soft = cv2.GaussianBlur(picture, (0, 0), chance.uniform(0.3, 1.4)).astype(np.float32)
    return kind, np.asarray(np.clip(soft * chance.uniform(0.6, 1.1) + grain, 0, 255), np.uint8)


def painted_over(image: Picture, plates: list[Box]) -> Picture:
    """The image with each box and a margin around it filled from its surroundings."""
    mask = np.zeros(image.shape[:2], np.uint8)
    for box in plates:
        left, top = int(box.x - 0.15 * box.width), int(box.y - 0.3 * box.height)
        right, bottom = int(box.x + 1.15 * box.width), int(box.y + 1.3 * box.height)
        mask[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = 255
    return np.asarray(cv2.inpaint(image, mask, 5, cv2.INPAINT_TELEA), np.uint8)


def texts(chance: np.random.Generator) -> Iterator[str]:
    """Endless short texts such as stand on signs."""
    words = WORDS.split()
    while True:
        word, number = str(chance.choice(words)), int(chance.integers(1, 10 ** int(chance.integers(1, 7))))
        date = f"20{number % 27:02}-{number % 12 + 1:02}-{number % 28 + 1:02}"
        kinds = (
            word,
            f"{word} {number}",
            f"{number}",
            f"{number} {word}",
            f"{number % 24:02}:{number % 60:02}",
            date,
            f"{number % 99}.99",
            f"No {number}",
            f"{number % 900 + 100} {number * 7 % 9000 + 1000}",
            f"{word} {word[:3]}",
            f"{word[0]}{number}",
        )
        yield kinds[int(chance.integers(len(kinds)))]


def _background(chance: np.random.Generator, size: tuple[int, int]) -> Picture:
    coarse = chance.integers(20, 230, (int(chance.integers(2, 9)), int(chance.integers(2, 9)), 3), np.uint8)
    return np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def _sign(chance: np.random.Generator) -> Image.Image:
    """One line on a board whose shape is often that of a plate."""
    width = int(chance.integers(260, 560))
    height = int(width / chance.uniform(1.6, 5))
    board = Image.new("RGB", (width, height), _BOARDS[int(chance.integers(len(_BOARDS)))])
    _write(board, (0, 0, width, height), next(texts(chance)), chance)
    if chance.random() < 0.5:
        ImageDraw.Draw(board).rectangle((3, 3, width - 4, height - 4), outline=_ink(board), width=4)
    return board


def _badge(chance: np.random.Generator) -> Image.Image:
    """A card with a grey portrait, a word and a number."""
    board = Image.new("RGB", (420, 260), (250, 250, 250))
    draw = ImageDraw.Draw(board)
    draw.rectangle((0, 0, 420, 56), fill=_BOARDS[int(chance.integers(1, len(_BOARDS)))])
    draw.rectangle((20, 76, 150, 236), fill=(150, 150, 150))
    lines = texts(chance)
    for top in (80, 130, 180):
        _write(board, (165, top, 410, top + 46), next(lines), chance)
    return board


def _poster(chance: np.random.Generator) -> Image.Image:
    board = Image.new("RGB", (420, 520), _BOARDS[int(chance.integers(len(_BOARDS)))])
    lines = texts(chance)
    for top in range(20, 480, int(chance.integers(60, 120))):
        _write(board, (15, top, 405, top + int(chance.integers(35, 60))), next(lines), chance)
    return board


def _label(chance: np.random.Generator) -> Image.Image:
    """A light label with the code of a room, a rack or a crate in plotter lettering: the hardest of all."""
    letters = "".join(chr(65 + int(number)) for number in chance.integers(0, 26, int(chance.integers(0, 4))))
    code = letters + str(chance.choice(["", " ", "-", "."])) + str(chance.integers(1, 10**5))
    code += str(chance.choice(["", "", "A", "-B", " C2", "/3"]))
    hand, bold = _HANDS[int(chance.integers(len(_HANDS)))], int(chance.integers(3, 9))
    (wide, high), below = cv2.getTextSize(code, hand, 3.0, bold)
    margin = int(high * chance.uniform(0.2, 0.8))
    board = np.full((high + below + 2 * margin, wide + 2 * margin, 3), chance.integers(200, 256, 3), np.uint8)
    cv2.putText(board, code, (margin, margin + high), hand, 3.0, (20, 20, 20), bold, cv2.LINE_AA)
    return Image.fromarray(board)


def _write(
    board: Image.Image, area: tuple[int, int, int, int], text: str, chance: np.random.Generator
) -> None:
    left, top, right, bottom = area
    size = (bottom - top) * chance.uniform(0.5, 0.8)
    font = ImageFont.load_default(size)
    font = ImageFont.load_default(size * min(1.0, 0.92 * (right - left) / max(font.getlength(text), 1)))
    middle = ((left + right) / 2, (top + bottom) / 2)
    bold = int(chance.integers(0, 3))
    ImageDraw.Draw(board).text(middle, text, font=font, fill=_ink(board), anchor="mm", stroke_width=bold)


def _ink(board: Image.Image) -> tuple[int, int, int]:
    ground = np.array(board)[-1, board.width // 2]
    return (15, 15, 15) if int(ground.sum()) > 380 else (245, 245, 245)


def _hang(picture: Picture, board: Image.Image, chance: np.random.Generator) -> Picture:
    rows, columns = picture.shape[:2]
    width = columns * chance.uniform(0.08, 0.35)
    height = width * board.height / board.width
    left, top = chance.uniform(0, columns - width), chance.uniform(-height * 0.2, rows - height * 0.7)
    flat = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * (width, height) + (left, top)
    seen = (flat + chance.normal(0, width * 0.02, (4, 2))).astype(np.float32)
    source = np.array(board)[:, :, ::-1]
    corners = np.array([[0, 0], [board.width, 0], [board.width, board.height], [0, board.height]], np.float32)
    soft = cv2.GaussianBlur(source, (0, 0), max(0.3, 0.4 * board.width / width))
    turn = cv2.getPerspectiveTransform(corners, seen)
    layer = cv2.warpPerspective(soft, turn, (columns, rows))
    cover = cv2.warpPerspective(np.full(source.shape, 255, np.uint8), turn, (columns, rows)) / 255.0
    return np.asarray(picture * (1 - cover) + layer * cover, np.uint8)
