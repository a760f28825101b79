"""Networks and duals without closed forms for code: units, made for ranges of variances."""
