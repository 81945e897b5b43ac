<?php

namespace App\Support;

use Illuminate\Filesystem\Filesystem;

/** Files appear whole or not at all: several PHP-FPM children may compile the same view at the same moment. */
class AtomicFilesystem extends Filesystem
{
    public function put($path, $contents, $lock = false)
    {
        $this->replace($path, $contents);

        return strlen($contents);
    }
}
