<?php

namespace App\Http\Controllers;

use Closure;
use Illuminate\Http\Request;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Redis;
use Throwable;

class HealthController
{
    /** Shallow for the load balancer: a database that is down must not make it take away every task. */
    public function __invoke(Request $request)
    {
        return $request->boolean('deep') ? $this->deep() : response("ok\n")->header('Content-Type', 'text/plain');
    }

    private function deep()
    {
        $checks = [
            'database' => $this->check(fn () => DB::select('select 1')),
            'redis' => $this->check(fn () => Redis::connection()->ping()),
        ];

        return response()->json($checks, in_array('failed', $checks) ? 500 : 200);
    }

    /** Every part is tried and every failure logged, so that one look shows all that is missing. */
    private function check(Closure $probe): string
    {
        try {
            $probe();

            return 'ok';
        } catch (Throwable $exception) {
            report($exception);

            return 'failed';
        }
    }
}
