"""What AWS answers and moto doesn't, or answers wrongly: one module per service, one function per operation or family."""
