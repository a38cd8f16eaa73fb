"""Where a NaN or Inf came from, part by part. `tapeinspect.analysis.nan_origin` is the way in."""
