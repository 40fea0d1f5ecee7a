"""What people take away: the ticket, the calendar file, the letters."""
