<?php

return [
    // Fault injection: any value makes every route of the application fail.
    'fail' => env('SHOP_FAIL'),

    // How long the work on one order takes.
    'job_seconds' => (float) env('SHOP_JOB_SECONDS', 0.05),

    // What the ECS agent tells every container about where it runs.
    'execution_env' => env('AWS_EXECUTION_ENV', 'LOCAL'),
    'metadata_uri' => env('ECS_CONTAINER_METADATA_URI_V4'),
];
