"""The methods that look for differences. Each turns train pairs into hypotheses, independently of the others."""
