"""Hands out the frames worth looking at, and counts all others."""

import time
from collections.abc import Iterator

from doorward.vision.sources import Frame, Source
from doorward_edge.statistics import AgentStatistics
from doorward_edge.watcher.budget import FrameBudget


def examined(source: Source, budget: FrameBudget, statistics: AgentStatistics) -> Iterator[Frame]:
    """Frames within the budget; the time until the next one is asked for is what the last one cost."""
    with source:
        for frame in source:
            _count(source, budget, statistics)
            if not frame.is_still and not budget.wants(frame.at_seconds):
                continue
            statistics.frames_examined += 1
            began = time.perf_counter()
            yield frame
            budget.spent(time.perf_counter() - began)
        _count(source, budget, statistics)


def _count(source: Source, budget: FrameBudget, statistics: AgentStatistics) -> None:
    counts = source.statistics
    statistics.frames_decoded = counts.decoded
    statistics.frames_dropped = counts.dropped
    statistics.frames_unreadable = counts.unreadable
    rest = counts.decoded - counts.delivered - counts.dropped
    statistics.frames_passed_over = max(0, rest) + budget.passed_over
    statistics.frames_per_second = budget.per_second
