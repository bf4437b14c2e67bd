"""What shows or stores a report; siblings do not know each other, but all may use `words`."""
