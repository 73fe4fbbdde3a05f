"""The stepper: one stream of events, and its tellers. Its public names are in ``autograd.steps``."""
