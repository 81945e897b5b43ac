<?php

// Debian packages the framework without Composer: Illuminate and all it needs come from PHP's include path ...
require_once 'Illuminate/autoload.php';

// ... and the application's own classes from here, by PSR-4 as composer.json says.
spl_autoload_register(function (string $class): void {
    if (str_starts_with($class, 'App\\')) {
        $file = dirname(__DIR__).'/app/'.strtr(substr($class, strlen('App\\')), '\\', '/').'.php';

        if (is_file($file)) {
            require $file;
        }
    }
});
