<?php

namespace App\Http\Controllers;

use App\Models\Visit;
use App\Support\Server;
use Illuminate\Http\Request;

class HomeController
{
    /** The page for people. */
    public function home(Request $request)
    {
        return view('home', [
            'user' => $request->user(),
            'counter' => $request->user() ? $this->count($request) : null,
            'server' => Server::name(),
            'order' => $request->session()->get('order'),
        ]);
    }

    /** The same for programs: the counter goes up by exactly one for each request of a session. */
    public function me(Request $request)
    {
        return response()->json([
            'user' => $request->user()->name,
            'counter' => $this->count($request),
            'served_by' => Server::name(),
        ]);
    }

    private function count(Request $request): int
    {
        $counter = $request->session()->increment('counter');

        Visit::create(['user_id' => $request->user()->id, 'counter' => $counter, 'served_by' => Server::name()]);

        return $counter;
    }
}
