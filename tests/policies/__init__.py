"""The IAM policies of ``docs/guide/policies``, one for each playbook: the table they are made from, and whether a call is allowed by one."""
