from pytest_bdd import scenarios

scenarios("availability.feature")
