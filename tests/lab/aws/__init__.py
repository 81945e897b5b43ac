"""The lab's AWS API: moto in process, AWS's own refusals in front of it, what the data plane observes behind it.

``server``      the HTTP server, and the one object (``AwsServer``) that everything else holds
``gateway``     one request: decode, log, faults, refuse, answer, encode
``protocol``    wire format <-> ``ApiCall`` and results, for every AWS protocol, by botocore's models
``refusals``    what AWS rejects and moto accepts; one small function per rule
``operations``  what AWS answers and moto doesn't, or answers wrongly
``observed``    what the data plane reports (health, states, metrics): reconcilers write it, operations read it
"""
