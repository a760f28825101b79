"""A range of variances where kinks are away from 0: what is near a kink, and the rest."""
