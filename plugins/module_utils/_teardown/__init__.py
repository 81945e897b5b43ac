# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Deleting a side: the source about a month after the cutover, or the target when the migration is given up. There is no way back from here.

``items``   what may be deleted, and the manifest that outlives a killed run
``proof``   a fresh look at each item: gone, unused, or still used by whom
``delete``  one function for each kind
``teardown`` the source: confirmation, bake time, silence, proof, deletion in order
``target_parts`` what the roles made of a target, and whose it is
``target`` the target: confirmation, records at the source, silence, deletion in order
"""
