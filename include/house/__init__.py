"""Keeping house: what is kept for how long, and what people should look at again."""
