"""What starts: the local stack, the deployments that it serves, and the command line."""
