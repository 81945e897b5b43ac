<?php

namespace App\Http\Controllers;

use App\Jobs\RecordOrder;
use App\Models\Order;
use App\Support\Redirect;
use Illuminate\Http\Request;

class OrderController
{
    /** The order is stored at once, the work on it is left to the queue. */
    public function store(Request $request)
    {
        $order = Order::create(['user_id' => $request->user()->id]);

        RecordOrder::dispatch($order->id);

        return Redirect::wanted($request)
            ? Redirect::to('/')->with('order', $order->id)
            : response()->json(['order' => $order->id]);
    }

    /** How many orders were sent, done, and done more than once; ?user=abc counts only customers whose name begins so. */
    public function stats(Request $request)
    {
        return response()->json(Order::stats((string) $request->query('user', '')));
    }
}
