"""SQLite files: copies."""
