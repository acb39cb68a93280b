"""What is remembered of people and vehicles: sealed fields, keyed look-ups, ids. The room's only SQL."""
