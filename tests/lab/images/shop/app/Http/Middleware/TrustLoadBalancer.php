<?php

namespace App\Http\Middleware;

use Illuminate\Http\Middleware\TrustProxies;
use Illuminate\Http\Request;

/** Nginx is the only one who can reach PHP-FPM, and it passes on the load balancer's X-Forwarded-* headers. */
class TrustLoadBalancer extends TrustProxies
{
    protected $proxies = '*';

    protected $headers = Request::HEADER_X_FORWARDED_FOR | Request::HEADER_X_FORWARDED_PROTO | Request::HEADER_X_FORWARDED_PORT;
}
