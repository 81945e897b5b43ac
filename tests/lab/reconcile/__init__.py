"""Reconcilers: desired state in the emulated AWS API becomes processes, containers and packets; what they do is observed and written back.

``world``       what all of them share: settings, the API server, network, engines, a pool for slow work
``loop``        calls every reconciler several times a second; an exception is logged and never ends the loop
``interfaces``  network interfaces in the API and in the network
``firewall``    security groups -> nftables
``capacity``    Auto Scaling groups -> instances
``stores``      RDS and ElastiCache -> MariaDB and Redis
``balancers``   load balancers, listeners, targets -> HAProxy; health back
``names``       Route 53 -> DNS answers
``services``    ECS services -> deployments and tasks (``rollout`` decides, ``task`` lives one task, ``placement`` gives it a place)
``logs``        container output -> CloudWatch Logs
``metrics``     requests and tasks -> CloudWatch

Pure, without clock or API: ``rollout``, ``reasons``, ``definition``.
"""
