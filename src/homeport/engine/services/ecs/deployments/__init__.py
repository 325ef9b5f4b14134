"""How a service goes from one revision to the next: one strategy a file."""
