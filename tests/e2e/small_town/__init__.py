"""The real scheduler over a town of few projects: the pipelines' own health, then what clock and data start, then the stop."""
