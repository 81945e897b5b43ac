<!DOCTYPE html>
<html lang="en">
<head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>{{ config('app.name') }}</title>
    <link rel="icon" href="/favicon.svg">
    <link rel="stylesheet" href="/shop.css">
</head>
<body>
    <main>
        <h1><a href="/">{{ config('app.name') }}</a></h1>
        @yield('content')
    </main>
</body>
</html>
