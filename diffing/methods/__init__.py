"""Methods: each turns train pairs into hypotheses; they do not know each other."""
