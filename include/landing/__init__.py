"""Keep what was read, unchanged and by hash, with the proof whether it is complete."""
