"""Remit's reference capture agent: it captures what a signed policy allows, and nothing else."""

VERSION = "0.1.0"
