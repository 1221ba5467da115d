"""Notify publishes nothing: its letters are the end of the flow."""
