"""A report as files to take away: all of it in a zip, a text, a table. Knows no page of the app and no Hub."""
