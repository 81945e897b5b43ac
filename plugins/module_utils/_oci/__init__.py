# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""A registry client and the append of one layer, over the OCI distribution API: no Docker daemon, no build tool.

``reference`` image names; ``credentials`` what docker login left; ``transport`` HTTP; ``blob`` verified streams; ``registry`` the API;
``layers`` tar files; ``derive`` an image plus one layer.
https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""
