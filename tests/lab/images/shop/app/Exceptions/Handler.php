<?php

namespace App\Exceptions;

use App\Support\Redirect;
use Illuminate\Auth\AuthenticationException;
use Illuminate\Foundation\Exceptions\Handler as ExceptionHandler;

class Handler extends ExceptionHandler
{
    /** Who is not logged in is sent to the form, or told so in JSON. */
    protected function unauthenticated($request, AuthenticationException $exception)
    {
        return Redirect::wanted($request)
            ? Redirect::to('/login')
            : response()->json(['message' => $exception->getMessage()], 401);
    }
}
