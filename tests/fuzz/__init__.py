"""What no browser sends and what every form is sent some day: never an answer of 500 or more."""
