"""The view of one finished diff: a part of the Space's page that shows any stored report."""
