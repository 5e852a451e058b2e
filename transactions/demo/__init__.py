"""The demo: an invented shop whose payments come in as real, signed webhooks."""
