<?php

namespace App\Http\Middleware;

use App\Support\Server;
use Closure;
use Illuminate\Http\Request;

/** Names the serving task in every answer, also in errors, so that a client can tell the old side from the new one. */
class SayWhoServed
{
    public function handle(Request $request, Closure $next)
    {
        $response = $next($request);
        $response->headers->set('X-Served-By', Server::name());

        return $response;
    }
}
