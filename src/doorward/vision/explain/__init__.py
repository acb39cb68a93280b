"""Shows every stage of recognition on one page of pictures, for whoever wonders why a gate stayed shut."""

from doorward.vision.explain.explaining import explain

__all__ = ["explain"]
