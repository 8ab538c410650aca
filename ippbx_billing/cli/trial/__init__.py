"""Try things: demonstration and simulation."""
