"""Results that do not say the same thing twice."""
