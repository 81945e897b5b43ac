"""What AWS rejects and moto accepts: one module per service, one small function per rule, each with its source.

Sources, as docs/rules/README.md explains them: ``[M]`` a message of the real API quoted in public repositories, ``[B ...]`` botocore's service model,
``[D ...]`` AWS's documentation, ``[I]`` the rule is documented, the exact wording is inferred.
"""
