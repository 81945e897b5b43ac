<?php

namespace App\Providers;

use App\Support\AtomicFilesystem;
use Illuminate\Support\Facades\Route;
use Illuminate\Support\ServiceProvider;

class AppServiceProvider extends ServiceProvider
{
    public function register(): void
    {
        $this->app->extend('files', fn () => new AtomicFilesystem);
    }

    public function boot(): void
    {
        Route::middleware('web')->group(base_path('routes/web.php'));

        // Outside the group "web": else every health check would leave a session in Redis.
        Route::group([], base_path('routes/health.php'));

        if (($_SERVER['argv'][1] ?? null) === 'queue:work') {
            $this->stopWorkerBySignal();
        }
    }

    /**
     * Laravel's worker ends its job and stops on SIGTERM, but this image's stop signal is PHP-FPM's SIGQUIT, which a process with
     * number 1 ignores: the job would be killed at the stop timeout. Besides, here the signals count from the start, not from the first job.
     */
    private function stopWorkerBySignal(): void
    {
        pcntl_async_signals(true);

        foreach ([SIGTERM, SIGQUIT] as $signal) {
            pcntl_signal($signal, fn () => $this->app['queue.worker']->shouldQuit = true);
        }
    }
}
