"""What holds when workers are killed: the same worlds as the tests', with as many people as one machine takes."""
