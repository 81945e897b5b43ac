<?php

namespace App\Console\Commands;

use Illuminate\Console\Command;
use Illuminate\Support\Facades\DB;
use Throwable;

/** Laravel's own migrations fail when two tasks start them at once; "if not exists" does not. */
class Install extends Command
{
    protected $signature = 'shop:install {--wait=0 : How many seconds to wait for the database}';

    protected $description = 'Create the tables that are missing';

    private const TABLES = [
        'users' => '
            id bigint unsigned auto_increment primary key,
            name varchar(100) not null unique,
            created_at timestamp null, updated_at timestamp null',
        'visits' => '
            id bigint unsigned auto_increment primary key,
            user_id bigint unsigned not null,
            counter int unsigned not null,
            served_by varchar(100) not null,
            created_at timestamp null',
        'orders' => '
            id bigint unsigned auto_increment primary key,
            user_id bigint unsigned not null,
            created_at timestamp null,
            index orders_user (user_id)',
        'order_executions' => '
            id bigint unsigned auto_increment primary key,
            order_id bigint unsigned not null,
            served_by varchar(100) not null,
            created_at timestamp null,
            index order_executions_order (order_id)',
        'failed_jobs' => '
            id bigint unsigned auto_increment primary key,
            uuid varchar(100) not null unique,
            connection text not null, queue text not null,
            payload longtext not null, exception longtext not null,
            failed_at timestamp not null default current_timestamp',
    ];

    public function handle(): int
    {
        $this->waitForDatabase(microtime(true) + (float) $this->option('wait'));

        foreach (self::TABLES as $name => $columns) {
            DB::statement("create table if not exists {$name} ({$columns}) character set utf8mb4");
        }

        $this->info('The tables are there: '.implode(', ', array_keys(self::TABLES)));

        return self::SUCCESS;
    }

    /** Ends when the database answers; at the deadline its last error is the command's. */
    private function waitForDatabase(float $deadline): void
    {
        while (true) {
            try {
                DB::connection()->getPdo();

                return;
            } catch (Throwable $exception) {
                if (microtime(true) >= $deadline) {
                    throw $exception;
                }

                usleep(200_000);
            }
        }
    }
}
