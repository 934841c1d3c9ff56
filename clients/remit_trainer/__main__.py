"""`python -m remit_trainer`."""

from remit_trainer.cli import entry

if __name__ == "__main__":
    entry()
