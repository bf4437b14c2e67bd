"""What all methods with sparse features share: screening, evidence, labels, hypotheses and verdicts.

A feature is one number per response: the largest activation of a latent, whichever reader computed it. These modules
know no model, no reader and no dictionary.
"""
