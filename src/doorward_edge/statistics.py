"""What an agent has done since it started, in numbers."""

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class AgentStatistics:
    """Counts since the start; none of them says anything about anybody.

    Frames: `decoded` by the source, `examined` by vision, `dropped` because nobody was ready for them,
    `passed_over` to keep the chosen rate, `unreadable` because they were damaged.
    """

    frames_decoded: int = 0
    frames_examined: int = 0
    frames_dropped: int = 0
    frames_passed_over: int = 0
    frames_unreadable: int = 0
    frames_per_second: float = 0.0
    passages: int = 0
    opened: int = 0
    refused: int = 0
    decided_alone: int = 0
    opened_by_hand: int = 0
    link_failures: int = 0
    not_genuine: int = 0
    not_moved: int = 0
    unrecorded_openings: int = 0
    refusals_not_journalled: int = 0
    refused_reports: int = 0
    entries_set_aside: int = 0
    parts_too_old: int = 0
    parts_dropped: int = 0
    input_failures: int = 0
    held_open: int = 0
    clock_jumps: int = 0
    camera_failures: int = 0
    reader_failures: int = 0
    faults: int = 0

    def as_facts(self) -> dict[str, int | float]:
        """The counts by name."""
        return asdict(self)
