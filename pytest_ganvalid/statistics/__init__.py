"""The statistics of a demonstrated agreement: pure numpy and scipy.

What to use when:

- `separation`: how different are two histograms, with a confidence interval.
- `robustness`: does that difference fit within the error bars of n_required events.
- `local`: is any single bin off.
- `equivalence`: do two numbers agree within one error bar of n_required events.
- `uncertainty`: which errors an analysis keeps.
- `template_fit`: what templates and their errors do to a fitted parameter.
- `chi2`: the classical χ² test, weighted or not.
- `planning`: how many events does it take.
- `noncentral`: the non-central χ² distribution, at any size.
"""
