"""Elastic Container Registry: the API, and the registry that docker speaks to."""
