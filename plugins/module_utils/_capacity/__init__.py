# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The capacity of the source: services and Auto Scaling groups to zero, and back to the numbers remembered in their tags.

``observe`` reads; ``numbers`` are the pure decisions; ``idle`` and ``running`` are the two directions.
"""
