"""Asks thousands of endpoints whether they answer: who may be asked, how, within which time."""
