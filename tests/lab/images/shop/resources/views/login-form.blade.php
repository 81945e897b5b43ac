<form method="post" action="/login">
    @csrf
    <label>Your name <input name="user" required maxlength="100" autocomplete="username" autofocus></label>
    <button>Log in</button>
</form>
@foreach ($errors->all() as $error)
    <p class="error">{{ $error }}</p>
@endforeach
