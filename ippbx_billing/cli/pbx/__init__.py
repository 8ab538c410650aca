"""Point a PBX at this machine and look after its settings."""
