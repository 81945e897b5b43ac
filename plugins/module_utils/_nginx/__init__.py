# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Rewriting of Nginx confs: bytes in, edits out. Nothing but the host part of an address is ever changed.

``lexer``   nginx's own tokens, with the place of each in the file
``address`` what an address argument says: scheme, host, port, variable
``tree``    the set of files of one conf: which are read, how they include each other
``rewrite`` which hosts become 127.0.0.1, and what could not be decided
"""
