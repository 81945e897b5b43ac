"""The lab's Application Load Balancers."""
