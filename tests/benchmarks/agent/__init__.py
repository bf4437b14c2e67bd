"""Evidence on method agent: what it finds of planted triggers, and how often it confirms what is not there."""
