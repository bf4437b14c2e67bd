"""Evidence that the methods work, and measurements of speed; run by hand, while tests keep their claims true."""
