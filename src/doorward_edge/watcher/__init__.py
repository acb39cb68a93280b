"""Turns what a camera shows into sightings: people and cars, each of them once."""
