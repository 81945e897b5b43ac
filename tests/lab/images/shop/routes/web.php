<?php

use App\Http\Controllers\HomeController;
use App\Http\Controllers\LoginController;
use App\Http\Controllers\OrderController;
use Illuminate\Support\Facades\Route;

Route::get('/', [HomeController::class, 'home']);
Route::get('/login', [LoginController::class, 'form']);
Route::post('/login', [LoginController::class, 'login']);

Route::middleware('auth')->group(function (): void {
    Route::get('/me', [HomeController::class, 'me']);
    Route::post('/orders', [OrderController::class, 'store']);
});
