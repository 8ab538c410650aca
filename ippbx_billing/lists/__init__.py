"""What people bring as files."""
