"""Faces: accuracy on the photos under DOORWARD_DATA/faces_lfw, and speed beside OpenCV's own pipeline."""

import sys

from benchmarks._face_accuracy import report_all_pairs, report_pairs, report_table
from benchmarks._face_open_set import report_open_set
from benchmarks._face_photos import gather, listed_pairs, photo_folder
from benchmarks._face_speed import report_agreement, report_speed
from doorward.vision import weights


def main() -> int:
    """Print everything that can be measured with what is there."""
    folder = photo_folder()
    if folder is None:
        return 0
    weights.prepare()
    report_agreement(folder)
    report_speed(folder)
    photos = gather(folder)
    report_pairs(photos, listed_pairs(folder))
    report_all_pairs(photos)
    report_table(photos)
    report_open_set(photos)
    return 0


if __name__ == "__main__":
    sys.exit(main())
