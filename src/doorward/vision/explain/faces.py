"""The stages of a face, explained."""

import cv2
import numpy as np

from doorward.vision.explain.panels import Figure, Picture, Pixels, Stage, Subject, drawn_box, picture
from doorward.vision.faces import observe
from doorward.vision.faces.measuring import AT_ENROLMENT, AT_THE_DOOR, with_limits
from doorward.vision.model import FaceDetection, FaceObservation

_MARKS = ((230, 120, 20), (230, 120, 20), (40, 40, 230), (20, 190, 220), (20, 190, 220))
_ALIGNED_SHOWN_AT = 224


def faces_stage(image: Pixels, drawing: Pixels) -> Stage:
    """Every face of an image (BGR), which is left as it is; boxes and landmarks are drawn into `drawing`."""
    seen = observe(image)
    subjects = tuple(_subject(image, face, number) for number, face in enumerate(seen, start=1))
    for subject, face in zip(subjects, seen, strict=True):
        _draw(drawing, face.detection, subject)
    return Stage("Faces", "No face was found in this picture.", subjects)


def _subject(image: Pixels, face: FaceObservation, number: int) -> Subject:
    at_enrolment = with_limits(face.quality, AT_ENROLMENT).problem
    at_the_door = with_limits(face.quality, AT_THE_DOOR).problem
    if at_the_door:
        verdict = f"Not usable at a door. {at_the_door.advice}"
    elif at_enrolment:
        verdict = f"Good enough at a door, not for enrolment. {at_enrolment.advice}"
    else:
        verdict = "Good enough at a door and for enrolment."
    return Subject(
        title=f"Face {number}",
        verdict=verdict,
        is_good=at_the_door is None,
        pictures=_pictures(image, face),
        figures=_figures(face),
        notes=(
            f"The template is {len(face.template)} numbers made from the aligned face. It is not shown: it "
            "can recognise this person, and a picture close to the face can be rebuilt from it.",
        ),
    )


def _pictures(image: Pixels, face: FaceObservation) -> tuple[Picture, ...]:
    return (
        picture(
            "1. Found: the box with a margin, and the five landmarks",
            _close_up(image, face.detection),
            width=224,
        ),
        picture(
            "2. Aligned: turned and scaled by the landmarks; all the recogniser sees",
            face.aligned,
            width=_ALIGNED_SHOWN_AT,
            sharp=True,
        ),
    )


def _figures(face: FaceObservation) -> tuple[Figure, ...]:
    figures, door, enrolment = face.quality, AT_THE_DOOR, AT_ENROLMENT
    return (
        Figure(
            "Detector's confidence", f"{face.detection.confidence:.2f}", "at least 0.60 to be found", True
        ),
        _least("Length of the raw template (utility)", figures.norm, door.norm, enrolment.norm, "{:.1f}"),
        _least(
            "Distance between the eyes",
            figures.eye_distance_px,
            door.eye_distance_px,
            enrolment.eye_distance_px,
            "{:.0f} px",
        ),
        _most("Head turned by", abs(figures.yaw_degrees), door.yaw_degrees, enrolment.yaw_degrees, "{:.0f}°"),
        _least("Sharpness", figures.sharpness, door.sharpness, enrolment.sharpness, "{:.0f}"),
        Figure(
            "Brightness",
            f"{figures.brightness:.0f} of 255",
            f"{door.darkest:g} to {door.brightest:g} at a door, "
            f"{enrolment.darkest:g} to {enrolment.brightest:g} to enrol",
            enrolment.darkest <= figures.brightness <= enrolment.brightest,
        ),
        _least(
            "Part of the face inside the picture",
            100 * figures.visible,
            100 * door.visible,
            100 * enrolment.visible,
            "{:.0f} %",
        ),
    )


def _least(name: str, value: float, door: float, enrolment: float, form: str) -> Figure:
    limits = f"at least {form.format(door)} at a door, {form.format(enrolment)} to enrol"
    return Figure(name, form.format(value), limits, value >= enrolment)


def _most(name: str, value: float, door: float, enrolment: float, form: str) -> Figure:
    limits = f"at most {form.format(door)} at a door, {form.format(enrolment)} to enrol"
    return Figure(name, form.format(value), limits, value <= enrolment)


def _close_up(image: Pixels, face: FaceDetection) -> Pixels:
    box = face.box
    margin = 0.35 * max(box.width, box.height)
    left, top = max(0, round(box.x - margin)), max(0, round(box.y - margin))
    right, bottom = round(box.x + box.width + margin), round(box.y + box.height + margin)
    crop = image[top:bottom, left:right]
    scale = 448 / max(crop.shape[:2])
    shown = np.asarray(cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    for (x, y), colour in zip(face.landmarks, _MARKS, strict=True):
        place = (round((float(x) - left) * scale), round((float(y) - top) * scale))
        cv2.circle(shown, place, 7, colour, -1, cv2.LINE_AA)
        cv2.circle(shown, place, 7, (255, 255, 255), 2, cv2.LINE_AA)
    return shown


def _draw(drawing: Pixels, face: FaceDetection, subject: Subject) -> None:
    drawn_box(drawing, face.box.corners, subject.title, is_good=subject.is_good)
