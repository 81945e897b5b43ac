<?php

namespace App\Models;

use Illuminate\Database\Eloquent\Model;

/** One row for each counted request. */
class Visit extends Model
{
    const UPDATED_AT = null;

    protected $fillable = ['user_id', 'counter', 'served_by'];
}
