"""The whole story on one machine: a live shop moves to Fargate and back under load, and the run is judged."""
