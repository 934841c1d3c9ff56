"""`python -m remit_agent`."""

from remit_agent.cli import entry

if __name__ == "__main__":
    entry()
