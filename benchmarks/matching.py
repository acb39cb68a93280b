"""The encrypted search: speed beside searches in the clear, people found and unlinkability on real photos."""

import sys

from benchmarks._face_photos import gather, photo_folder
from benchmarks._matching_identification import report_identification
from benchmarks._matching_linking import report_linking
from benchmarks._matching_speed import report_speed
from doorward.matching import preparing
from doorward.vision import weights


def main() -> int:
    """Print everything that can be measured with what is there."""
    preparing.prepare()
    report_speed()
    folder = photo_folder()
    if folder is not None:
        weights.prepare()
        photos = gather(folder)
        report_identification(photos)
        report_linking(photos)
    return 0


if __name__ == "__main__":
    sys.exit(main())
