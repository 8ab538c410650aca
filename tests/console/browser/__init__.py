"""The console in Debian's Chromium, over real HTTP, beside a real listener."""
