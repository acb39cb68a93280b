"""Pure decisions: nothing here asks a clock, a database or a device."""
