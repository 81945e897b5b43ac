# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""plan.html: the plan as one page that a team can review. Pure: the standard library only; every text on the page went through the mask for secrets."""
