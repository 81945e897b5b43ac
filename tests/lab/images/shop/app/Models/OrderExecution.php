<?php

namespace App\Models;

use Illuminate\Database\Eloquent\Model;

/** One row for each time that the work on an order was done; a second row is an order done twice. */
class OrderExecution extends Model
{
    const UPDATED_AT = null;

    protected $fillable = ['order_id', 'served_by'];
}
