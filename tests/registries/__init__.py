"""Registries for tests: Debian's docker-registry as a process, images to put into it, and what stands between a client and it when things go wrong.

Needs the program docker-registry (Debian: docker-registry). No root: everything listens on free ports of 127.0.0.1.
"""
