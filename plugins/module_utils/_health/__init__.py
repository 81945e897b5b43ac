# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Is a side of the system healthy, and when it is not: why?

One poll is one ``Snapshot`` of all signals. It is read by ``collect`` and the readers beside it (``collect_*``: nothing else calls AWS) and by
``probes`` (nothing else speaks HTTP). All the rest is pure: ``checks`` judges a snapshot by the ``predicates``, ``diagnose`` walks the decision tree
from signals to causes with the tables in ``patterns`` and ``causes`` and the computed reachability of ``reach``, ``report`` makes it readable, and
``verify`` is the loop around them, with its clock and its senses injected.
"""
