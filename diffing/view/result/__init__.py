"""The view of a finished diff: the part of the page that shows any stored report."""
