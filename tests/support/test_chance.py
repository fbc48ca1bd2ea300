"""What tests leave out before they look for a short word: nothing somebody wrote goes with it."""
