"""`python -m ippbx_billing` is `ippbx-bill`."""

from ippbx_billing.cli import main

if __name__ == "__main__":
    main()
