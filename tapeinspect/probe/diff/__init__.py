"""Eager against traced: the step run both ways from one state, and what differs."""
