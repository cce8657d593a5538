"""A message as text, Markdown and HTML, cut to a channel's limit in bytes without losing what was cut from sight."""
