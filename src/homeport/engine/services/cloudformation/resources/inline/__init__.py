"""Modules that functions whose code stands in the template find beside it."""
