"""What decides a fee: carriers, tariffs, trunks, filters, holidays, numbers, dialects."""
