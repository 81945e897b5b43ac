<?php

namespace App\Jobs;

use App\Models\OrderExecution;
use App\Support\Server;
use Illuminate\Bus\Queueable;
use Illuminate\Contracts\Queue\ShouldQueue;
use Illuminate\Foundation\Bus\Dispatchable;
use Illuminate\Queue\InteractsWithQueue;

/** The work on an order. It is not idempotent on purpose: a job that runs twice shall be seen. */
class RecordOrder implements ShouldQueue
{
    use Dispatchable, InteractsWithQueue, Queueable;

    public int $order;

    public function __construct(int $order)
    {
        $this->order = $order;
    }

    public function handle(): void
    {
        $this->work(config('shop.job_seconds'));

        OrderExecution::create(['order_id' => $this->order, 'served_by' => Server::name()]);
    }

    /** Sleeps for the whole time, although a signal (SIGTERM at the end of a task) cuts a single sleep short. */
    private function work(float $seconds): void
    {
        $end = microtime(true) + $seconds;

        while (($left = $end - microtime(true)) > 0) {
            usleep((int) ($left * 1e6));
        }
    }
}
