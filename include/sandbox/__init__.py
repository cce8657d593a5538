"""Stand-ins of the outside platforms: real servers with faults on demand. Shares no code with the readers."""
