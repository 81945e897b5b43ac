"""The lab's load: users who are logged in, count their own requests and order things, and every answer written down.

``python -m lab.load`` makes the load, ``lab.load.report`` reads what it wrote.
"""
