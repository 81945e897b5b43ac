<?php

namespace App\Support;

/** The task that runs this process, as far as the container agent says it in the environment. */
class Server
{
    /** For example "AWS_ECS_FARGATE 0123456789abcdef0123456789abcdef". */
    public static function name(): string
    {
        return trim(config('shop.execution_env').' '.self::task());
    }

    /** The metadata address ends in "<task id>-<container number>"; without one, the container's host name has to do. */
    private static function task(): string
    {
        $last = basename((string) config('shop.metadata_uri'));

        return preg_replace('/^([0-9a-f]{32})-\d+$/', '$1', $last) ?: (string) gethostname();
    }
}
