"""Print for a resident: the letter of article 14 AVG and the card, in eight languages."""
