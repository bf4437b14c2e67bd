"""Opens the weights behind one side of a run, with the loading code, checks and errors of `diffing.models.local`."""
