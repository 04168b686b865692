"""What the operators' commands have in common; each command itself is in `conversations/management/commands`."""
