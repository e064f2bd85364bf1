"""What can be reached? Travel times, computed here or elsewhere."""
