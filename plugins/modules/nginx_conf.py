#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: nginx_conf
version_added: 0.1.0
short_description: Change the addresses of a task's other containers in an Nginx conf to 127.0.0.1
description:
  - On ECS in bridge mode a link gives the other container a name. On Fargate there are no links, and all containers of a task share one
    network namespace, so the other container is at V(127.0.0.1) with the same port. This module changes exactly that in Nginx confs on a disk,
    for those who build their images from source. M(cutover.fargate.ecr_image) does the same to an image in its registry.
  - C(fastcgi_pass), C(proxy_pass), C(grpc_pass), C(uwsgi_pass), C(scgi_pass), C(memcached_pass), C(tunnel_pass), C(auth_http), C(resolver),
    syslog servers, the servers of C(upstream) blocks, and the values that C(set), C(map), C(geo) and C(split_clients) give to variables of a pass
    are followed, over all files. Text is edited by byte span, so comments, quoting, white space and encoding stay as they are.
  - Placeholders of templates for C(envsubst), such as C(${PHP_FPM_HOST}), are followed to the environment. The template stays, and
    RV(environment) says which variables must be changed to what.
  - What cannot be decided is a finding with file, line and column. A finding of severity BLOCKER fails the module before anything is written,
    unless it is waived.
options:
  path:
    description:
      - A conf file, a folder of confs, or the root of a container's files (it holds C(etc/nginx/nginx.conf) or the like).
      - Of a folder all confs are read, not only those that the main conf includes, because entrypoints copy and render files at start.
        Symbolic links are kept, and each real file is edited once. Nothing outside of the path is read or written; in a container's tree
        absolute links and includes are resolved inside the tree.
      - A file is taken alone, its includes are not followed.
    type: path
    required: true
  peers:
    description:
      - Names of the task's other containers as the conf may spell them, each with the host that replaces it.
      - Beside O(task_definition) they are added to what it says.
    type: dict
  task_definition:
    description:
      - A task definition with C(containerDefinitions), as C(DescribeTaskDefinition) returns it or C(RegisterTaskDefinition) takes it.
      - The peers are the links of O(container), with their aliases, and all other containers. Its environment is used for placeholders.
    type: dict
  container:
    description: Name of the container that runs Nginx. Not needed when only one container of the task definition has links.
    type: str
  environment:
    description:
      - Environment variables of the container that the task definition does not set, because they come from the image or from environment files.
    type: dict
  host_variables:
    description:
      - Nginx variables that hold nothing but hosts. C($v:9000) is followed to the values of C($v) only when it is named here, because a variable
        that also ends up in a header or a condition must not change.
    type: list
    elements: str
    default: []
  php_fpm_paths:
    description: Pool files of the PHP-FPM container, or folders of them. They are read, and what would refuse V(127.0.0.1) is a finding.
    type: list
    elements: path
    default: []
  waive:
    description: Findings of severity BLOCKER that shall not stop the module, as C(ID) or C(ID@path).
    type: list
    elements: str
    default: []
  backup:
    description:
      - Keep a copy of each file that is changed, beside it, with a name that ends with V(~). Such copies are never read by this module, but an
        include of C(sites-enabled/*) would read them; links there, as Debian has them, are safe.
    type: bool
    default: false
  validate:
    description:
      - A command that must succeed on the new conf before anything is written. V(%s) is replaced by the main conf's place.
      - A folder is copied for it. Absolute includes of files in the folder lead into the copy; other absolute paths stay.
      - Does not run in check mode.
    type: str
extends_documentation_fragment:
  - cutover.fargate.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: One unified diff for each changed file. Secrets in it are masked.
  idempotent:
    support: full
requirements:
  - python >= 3.10
notes:
  - Without O(validate) the new conf is not verified by Nginx itself.
  - Mode, owner and security labels of a file are kept. Each file is replaced atomically; if the module is killed between two files, a second run finishes.
author:
  - The cutover.fargate authors (@cutover)
"""

EXAMPLES = r"""
# The images are built from source: change the confs in the checkout. Nginx in the derived image is the judge when it is built.
- name: Change the addresses in the checkout
  cutover.fargate.nginx_conf:
    path: docker/nginx
    peers:
      php-fpm: 127.0.0.1
  delegate_to: localhost

# Links, aliases and the environment are read from the task definition.
- name: Describe the task definition that runs
  community.aws.ecs_taskdefinition_info:
    task_definition: shop-web
  register: shop

- name: Change the addresses in the files of a container
  cutover.fargate.nginx_conf:
    path: build/rootfs
    task_definition:
      containerDefinitions: "{{ shop.container_definitions }}"
    container: nginx
    php_fpm_paths: [build/php-fpm/usr/local/etc/php-fpm.d]
    validate: nginx -t -c %s
    backup: true

# $backend is used in passes only, so $backend:9000 may be followed.
- name: Change one conf
  cutover.fargate.nginx_conf:
    path: /etc/nginx/sites-enabled/shop
    peers:
      app: 127.0.0.1
    host_variables: [backend]
"""

RETURN = r"""
changes:
  description: What was (or in check mode would be) done, in plain words.
  returned: always
  type: list
  elements: str
  sample: ["change 1 address in 1 file(s) of docker/nginx"]
files:
  description: The files that were (or would be) written.
  returned: always
  type: list
  elements: str
  sample: ["/srv/shop/docker/nginx/conf.d/default.conf"]
backup_files:
  description: Copies of the files as they were.
  returned: always
  type: list
  elements: str
  sample: []
edits:
  description: Every change. C(start) and C(end) are byte offsets in the old file, C(via) is the pass that uses the text.
  returned: always
  type: list
  elements: dict
  sample: [{"path": "conf.d/default.conf", "line": 12, "column": 22, "start": 310, "end": 317, "before": "php-fpm", "after": "127.0.0.1",
            "directive": "fastcgi_pass", "via": "fastcgi_pass"}]
environment:
  description: Environment variables of the container that must be changed in the task definition, with the place that uses them.
  returned: always
  type: list
  elements: dict
  sample: [{"name": "PHP_FPM_HOST", "before": "php-fpm", "after": "127.0.0.1", "host": "php-fpm", "path": "templates/default.conf.template",
            "line": 9, "column": 18}]
findings:
  description: What a person must know of the confs. C(line) and C(column) count from 1 and are 0 when the whole file is meant.
  returned: always
  type: list
  elements: dict
  sample: [{"id": "NGX-RESOLVER", "severity": "WARN", "path": "nginx.conf", "line": 20, "column": 12, "text": "127.0.0.11",
            "why": "Docker's resolver, which does not exist on Fargate", "fix": "use the VPC's resolver, 169.254.169.253", "waived": false}]
"""

import os
import tempfile

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._nginx_conf.arguments import ARGUMENT_SPEC
from ansible_collections.cutover.fargate.plugins.module_utils._nginx_conf.work import Actions, run
from ansible_collections.cutover.fargate.plugins.module_utils._translate.secrets import mask


def actions(module: AnsibleModule) -> Actions:
    def replace(path: str, data: bytes, backup: bool) -> str | None:
        copy = module.backup_local(path) if backup else None
        # In the same folder the new file can take the old one's place in one step.
        handle, place = tempfile.mkstemp(prefix=f".{os.path.basename(path)}.", dir=os.path.dirname(path))
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        module.atomic_move(place, path)
        return copy

    return Actions(replace, module.run_command)


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True, required_one_of=[("peers", "task_definition")])
    # Ansible would hide every text of a no_log option wherever it occurs, a port or the name "php-fpm" too. So they are shown masked instead.
    module.no_log_values = set()
    shown = {"invocation": {"module_args": mask(module.params)}}
    try:
        result = run(module.params, module.check_mode, actions(module))
    except CutoverError as error:
        module.fail_json(msg=error.message, **error.details, **shown)
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror}. The files before it may have been changed; a second run finishes.", **shown)
    module.exit_json(**result, **shown)


if __name__ == "__main__":
    main()
