"""Evidence that the methods work, and measurements of speed. Run by hand; tests keep what it says true."""
