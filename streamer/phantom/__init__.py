"""A synthetic B-mode scan with known truth: the demonstration, and the ruler for claims about time."""
