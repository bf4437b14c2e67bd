"""What the methods that look inside both models share; these need the weights of both."""
