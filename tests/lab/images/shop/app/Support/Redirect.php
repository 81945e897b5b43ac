<?php

namespace App\Support;

use Illuminate\Http\RedirectResponse;

class Redirect
{
    /** A redirect without scheme and host: the browser may know the shop by another address than the load balancer does. */
    public static function to(string $path): RedirectResponse
    {
        return tap(new RedirectResponse($path), function (RedirectResponse $response): void {
            $response->setSession(session()->driver());
            $response->setRequest(request());
        });
    }
}
