"""Searches encrypted face templates: numbers only; knows no names, no database and no network."""
