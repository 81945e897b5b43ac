"""The source system of the lab: the playbook that builds it (``build.yml``), and its recording, which replays in about a second.

    create(settings, aws, say)     build it in a running ``AwsServer``: the playbook the first time, its recording after that
    ca_file(settings)              the certificate authority that a client of the shop must trust
"""

from lab.source.build import ca_file, create

__all__ = ["ca_file", "create"]
