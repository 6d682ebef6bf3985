"""Example kernels; tests run them against numpy."""
