"""A local AWS whose data plane is real: rehearse a migration, practise a rollback, on one machine."""
