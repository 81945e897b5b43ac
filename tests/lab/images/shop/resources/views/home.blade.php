@extends('layout')

@section('content')
    @if ($user)
        <p>Hello, <b>{{ $user->name }}</b>.</p>
        <p class="counter"><output id="counter">{{ $counter }}</output> requests in this session, without a gap</p>
        <form method="post" action="/orders">
            @csrf
            <button>Order something</button>
            @if ($order)
                <span>Order {{ $order }} is in the queue.</span>
            @endif
        </form>
        <p><a href="/">Reload</a></p>
    @else
        @include('login-form')
    @endif
    <footer>Served by <code>{{ $server }}</code></footer>
@endsection
