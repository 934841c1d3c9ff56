"""Real servers, real processes and the search for leaks: what tests of the whole need."""
