#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: ecr_image
version_added: 0.1.0
short_description: Derive an image for Fargate by changing only the addresses in its Nginx conf
description:
  - Reads the Nginx conf out of an image in its registry, changes the hosts that name other containers of the task to V(127.0.0.1),
    appends one layer with the changed files and pushes the result to a new Amazon ECR repository.
    No Docker daemon and no build is involved, and nothing else of the image changes.
  - C(fastcgi_pass), C(proxy_pass), C(grpc_pass), C(uwsgi_pass), C(scgi_pass), C(memcached_pass), the servers of C(upstream) blocks
    and the variables used in them are followed. Text is edited by byte span, so comments, quoting and white space stay as they are.
  - Confs are found in the folders of the usual images, and wherever symbolic links and C(include) lead from there.
  - Placeholders are followed to the environment. A value that the image sets itself (C(ENV)) is changed in the derived image. A value of the container
    definition is changed by the new task definition; where it is not what the conf needs, the image is refused.
  - The same source image and options always give the same digest. A second run reads manifests, and the small layer that was added, and uploads nothing.
options:
  images:
    description: The images to derive. Nothing is pushed unless all of them could be rewritten.
    type: list
    elements: dict
    required: true
    suboptions:
      container:
        description: Name of the container in the task definition, for messages.
        type: str
        required: true
      source_image:
        description: URI of the image that runs now. It is never written to.
        type: str
        required: true
      repository:
        description: Name of the ECR repository for the derived image. Created when it is missing, scanned and encrypted like the source's.
        type: str
        required: true
      tag:
        description: Tag of the derived image.
        type: str
        required: true
      image:
        description: URI of the derived image.
        type: str
        required: true
      peers:
        description: Names of the task's other containers as the conf may spell them, each with the host that replaces it.
        type: dict
        required: true
      containers:
        description:
          - The container behind each name of O(images[].peers), where one container has several (link and alias).
            Otherwise two names on one port are taken for two containers.
        type: dict
        default: {}
      environment:
        description: Environment of the container definition, for placeholders such as C(${PHP_FPM_HOST}). It comes before the image's own (C(ENV)).
        type: dict
        default: {}
      target_environment:
        description: Those values of O(images[].environment) that the new task definition changes, as it has them. A conf that needs another value is refused.
        type: dict
        default: {}
      unknown_environment:
        description: Names of variables that the container definition sets to values which are not known here (secrets).
        type: list
        elements: str
        default: []
      host_variables:
        description: Variables of the confs that hold nothing but hosts. With it C($backend:9000) is followed to the values of C($backend).
        type: list
        elements: str
        default: []
      platform:
        description: The platform that Fargate will run, as C(os/architecture). Of a multi-platform index that image is taken.
        type: str
        default: linux/amd64
      tags:
        description: Tags of the repository when it is created.
        type: dict
        default: {}
  peer_images:
    description:
      - Images of the task's other containers. When an image is to be pushed, these are looked at for pools of PHP-FPM that would refuse V(127.0.0.1)
        (C(listen), C(listen.allowed_clients)), and for ports that they expose and Nginx or another of them uses too. Nothing of them is changed or pushed.
      - An image without pools is passed over. One that cannot be read is a finding of severity WARN. One for another platform fails the task.
    type: list
    elements: dict
    default: []
    suboptions:
      container:
        description: Name of the container in the task definition, for messages.
        type: str
        required: true
      image:
        description: URI of the image that the container will run.
        type: str
        required: true
      environment:
        description: Environment of the container definition, for settings such as C(listen = ${PORT}).
        type: dict
        default: {}
      platform:
        description: The platform that Fargate will run, as C(os/architecture).
        type: str
        default: linux/amd64
  tasks:
    description:
      - The tasks with all their containers. When an image is to be pushed, or O(images) is empty, their images are looked at, without reading a layer.
      - One for another platform fails the task. A C(USER) that isn't root with a port below 1024, and an C(EXPOSE) that another container of the task uses
        too, are findings of severity WARN; so is an image that cannot be read.
    type: list
    elements: dict
    default: []
    suboptions:
      family:
        description: Family of the task definition.
        type: str
        required: true
      platform:
        description: The platform that Fargate will run, as C(os/architecture).
        type: str
        default: linux/amd64
      containers:
        description: All containers of the task.
        type: list
        elements: dict
        required: true
        suboptions:
          name:
            description: Name of the container, for messages.
            type: str
            required: true
          image:
            description: URI of its image. Without it none is looked at.
            type: str
          ports:
            description: TCP ports of its port mappings.
            type: list
            elements: int
            default: []
          low_ports:
            description: Those of its ports that only root may listen on; none where the definition names the user.
            type: list
            elements: int
            default: []
          exposes:
            description: Whether C(EXPOSE) of the image tells its ports, since neither mappings nor a command of its own do.
            type: bool
            default: false
          linked:
            description: Whether it is linked with another container of O(images), so that its ports are told with the confs.
            type: bool
            default: false
  platforms:
    description:
      - More platforms to keep when the source is a multi-platform index, as C(os/architecture[/variant]), or V(all).
      - The result is then an index as well, with the confs of every platform rewritten.
      - Attestations (provenance, SBOM) are left out, as they speak of the source. A source that is a single image stays one.
    type: list
    elements: str
    default: []
  waive:
    description: Findings of severity BLOCKER that shall not stop the push, by id (C(NGX-X)) or by id and path (C(NGX-X@path)).
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - cutover.fargate.account
  - cutover.fargate.attributes
  - cutover.fargate.attributes.actiongroup
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: One unified diff for each changed conf file.
  idempotent:
    support: full
notes:
  - Layers compressed with zstd need the Python package zstandard on the controller. Plain and gzip layers need nothing.
  - An image in which no conf needs a change is used as it is. Nothing is pushed for it, and M(cutover.fargate.fargate_task_definitions) registers it.
    Only where its tag in the target repository holds something else, it is pushed there with the source's digest.
  - For source images outside of Amazon ECR the credentials that C(docker login) left on the controller are used, when there are some.
  - Requests are repeated after connection errors and the answers 429, 500, 502, 503 and 504. A download goes on where it broke off, an upload is repeated.
  - An action plugin of the same name runs the work in the controller's process, so that the progress of long transfers can be seen.
  - Needs the permissions ecr:GetAuthorizationToken, ecr:DescribeRepositories, ecr:CreateRepository, ecr:TagResource, ecr:BatchGetImage,
    ecr:GetDownloadUrlForLayer, ecr:BatchCheckLayerAvailability, ecr:InitiateLayerUpload, ecr:UploadLayerPart,
    ecr:CompleteLayerUpload and ecr:PutImage.
author:
  - The cutover.fargate authors (@cutover)
"""

EXAMPLES = r"""
- name: Derive the Nginx image for Fargate
  cutover.fargate.ecr_image:
    region: eu-west-1
    images:
      - container: nginx
        source_image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/nginx:v1
        repository: shop/nginx-fargate
        tag: v1-fargate
        image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/nginx-fargate:v1-fargate
        peers:
          php-fpm: 127.0.0.1
    peer_images:
      - container: php-fpm
        image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/php:v1
"""

RETURN = r"""
changes:
  description: What was (or in check mode would be) done, in plain words.
  returned: always
  type: list
  elements: str
  sample: ["create ECR repository shop/nginx-fargate", "push shop/nginx-fargate:v1-fargate (1 address changed in 1 file(s))"]
images:
  description: One entry for each image.
  returned: always
  type: list
  elements: dict
  contains:
    container:
      description: Name of the container.
      type: str
      returned: always
      sample: nginx
    image:
      description: URI of the derived image, or of the source where that is used as it is.
      type: str
      returned: always
      sample: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/nginx-fargate:v1-fargate
    state:
      description:
        - V(derived) when it is to be pushed, V(present) when the tag holds it already, V(source) when the source is used as it is.
        - What an earlier run derived from the same source with the same options and the same version of this code is not read again. Edits and findings
          are then empty. They were told by that run, and a finding of severity BLOCKER would have stopped it.
      type: str
      returned: always
      sample: derived
    digest:
      description: Digest of the derived image.
      type: str
      returned: always
      sample: sha256:5b0bcabd1ed22e9fb1310cf6c2dec7cdef19f0ad69efa1f392e94a4333501270
    source_image:
      description: URI of the image it was derived from.
      type: str
      returned: always
      sample: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/nginx:v1
    source_digest:
      description: Digest of that image.
      type: str
      returned: always
      sample: sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
    architecture:
      description: The image's own word on its architecture. For an index those of all its platforms.
      type: str
      returned: always
      sample: amd64
    edits:
      description: Every change with file, line, column, text before and after.
      type: list
      elements: dict
      returned: always
      sample: [{"path": "etc/nginx/conf.d/default.conf", "line": 12, "column": 22, "before": "php-fpm", "after": "127.0.0.1", "directive": "fastcgi_pass"}]
    environment:
      description:
        - Every environment variable that needs another value, with the place in the conf that uses it. Secrets are masked.
        - C(holder) is V(image) where the derived image has the new value, V(definition) where the new task definition has it.
      type: list
      elements: dict
      returned: always
      sample: [{"name": "PHP_FPM_HOST", "before": "php-fpm", "after": "127.0.0.1", "path": "etc/nginx/templates/a.template", "line": 1, "holder": "image"}]
findings:
  description:
    - What a person must know of the confs, of the pools of O(peer_images) and of the images of O(tasks), with container, id, severity, file, line, column,
      why and fix.
  returned: always
  type: list
  elements: dict
  sample: [{"id": "NGX-RESOLVER", "severity": "WARN", "path": "etc/nginx/nginx.conf", "line": 20, "column": 12, "text": "127.0.0.11"}]
"""

from ansible_collections.cutover.fargate.plugins.module_utils._aws.run import run_module
from ansible_collections.cutover.fargate.plugins.module_utils._ecr.arguments import ARGUMENT_SPEC
from ansible_collections.cutover.fargate.plugins.module_utils._ecr.image import run


def main() -> None:
    run_module(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
