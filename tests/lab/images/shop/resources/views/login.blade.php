@extends('layout')

@section('content')
    <p>Any name will do.</p>
    @include('login-form')
@endsection
