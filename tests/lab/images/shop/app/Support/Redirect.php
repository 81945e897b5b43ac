<?php

namespace App\Support;

use Illuminate\Http\RedirectResponse;
use Illuminate\Http\Request;

class Redirect
{
    /** People are sent on to a page; programs, which do not ask for HTML, get JSON. */
    public static function wanted(Request $request): bool
    {
        return str_contains($request->header('Accept', ''), 'text/html');
    }

    /** A redirect without scheme and host: the browser may know the shop by another address than the load balancer does. */
    public static function to(string $path): RedirectResponse
    {
        return tap(new RedirectResponse($path), function (RedirectResponse $response): void {
            $response->setSession(session()->driver());
            $response->setRequest(request());
        });
    }
}
