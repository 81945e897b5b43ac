"""The lab's network: namespaces as network interfaces, security groups, DNS."""
