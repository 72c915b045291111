"""The one road from events of any kind to pairs of histograms: request, plan, run, summary, pair; store beside it."""
