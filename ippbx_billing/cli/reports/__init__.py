"""Reports, bills, comparisons and exports."""
