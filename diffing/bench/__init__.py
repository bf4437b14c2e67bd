"""Evidence that the methods work: planted truth, nulls, comparisons of methods, simulated statistics, and their page."""
