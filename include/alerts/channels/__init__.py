"""One file a channel: it puts a message into the channel's form, sends it, and says what came of it."""
