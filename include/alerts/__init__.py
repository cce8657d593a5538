"""Who is told what, when and how: routing, decisions, outbox, channels; and the health of the pipelines themselves."""
