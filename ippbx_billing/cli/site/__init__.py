"""Set up and keep an installation: `init`, `listen`, `service`, `backup`, `doctor`."""
