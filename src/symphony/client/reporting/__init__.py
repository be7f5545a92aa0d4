"""The reporter: tells the server which git repositories this machine has, and what state they are
in."""
