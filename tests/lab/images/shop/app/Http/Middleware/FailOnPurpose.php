<?php

namespace App\Http\Middleware;

use Closure;
use Illuminate\Http\Request;
use RuntimeException;

/** Fault injection: with SHOP_FAIL=500 in the environment the application answers everything with an error, while Nginx is well. */
class FailOnPurpose
{
    public function handle(Request $request, Closure $next)
    {
        if (config('shop.fail')) {
            throw new RuntimeException('The shop is broken: SHOP_FAIL is set');
        }

        return $next($request);
    }
}
