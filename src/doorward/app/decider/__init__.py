"""`doorward-decider`: the holder of the gallery as a program of its own, apart from gates and people."""
