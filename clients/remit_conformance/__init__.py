"""Proves that a capture agent obeys: `python -m remit_conformance --agent COMMAND`."""
