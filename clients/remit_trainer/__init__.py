"""Remit's client for training teams: take a release, check it, say what became of a recall."""

VERSION = "0.1.0"
