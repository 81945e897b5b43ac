<?php

namespace App\Exceptions;

use App\Support\Redirect;
use Illuminate\Auth\AuthenticationException;
use Illuminate\Foundation\Exceptions\Handler as ExceptionHandler;

class Handler extends ExceptionHandler
{
    /** Who is not logged in is sent to the form, or told so in JSON when that is what the client reads. */
    protected function unauthenticated($request, AuthenticationException $exception)
    {
        return $this->shouldReturnJson($request, $exception)
            ? response()->json(['message' => $exception->getMessage()], 401)
            : Redirect::to('/login');
    }
}
