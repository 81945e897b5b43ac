"""The lab's container images: Debian root file systems, the example shop on top, pushed to a real registry. No hub, no Docker."""
