<?php

namespace App\Http\Controllers;

use App\Models\User;
use App\Support\Redirect;
use Illuminate\Http\Request;
use Illuminate\Support\Facades\Auth;

class LoginController
{
    public function form()
    {
        return view('login');
    }

    /** Any name may come in; the first time, it becomes a customer. */
    public function login(Request $request)
    {
        $name = $request->validate(['user' => 'required|string|max:100'])['user'];

        Auth::login(User::named($name));
        $request->session()->put('counter', 0);

        return Redirect::wanted($request) ? Redirect::to('/') : response()->json(['user' => $name]);
    }
}
