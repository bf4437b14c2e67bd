"""Evidence that the methods work: planted truth, nulls, comparisons, simulated statistics, and their page."""
