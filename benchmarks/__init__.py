"""Measure the sync and the validation against peers and limits; `python -m benchmarks --help`."""
