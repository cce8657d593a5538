"""Speak to outside systems: cards, signing, paging, the privacy gate, values. Knows nothing of storage."""
