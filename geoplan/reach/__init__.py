"""What can be reached? Streets and timetables, and how long it takes on them."""
