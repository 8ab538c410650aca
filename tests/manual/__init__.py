"""The manual's pages are true: their commands run, their tables are made, and both languages tell the same."""
