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
    }
}
