{{-- Laravel's own error pages extend this one; its stock version fetches fonts from the internet. --}}
@extends('layout')

@section('content')
    <p class="error">@yield('code'): @yield('message')</p>
@endsection
