"""Why a gradient is None, cause by cause. `tapeinspect.analysis.none_gradient` is the way in."""
