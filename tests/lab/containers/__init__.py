"""The lab's container engines: one for Fargate, one for each EC2 instance."""
