"""What the program asks of the machine: shipped files, files that are written whole, several processes."""
