# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""nginx_conf: Nginx confs on a disk, rewritten for Fargate. What changes is decided in ``_nginx``.

``folder``    the files of a path: a file, a folder, a container's whole tree; links
``peers``     the other containers, given or read from a task definition
``staging``   a copy of the conf with the changes in it, for the validation
``work``      read, rewrite, validate, write, report
"""
